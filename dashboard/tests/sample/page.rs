//! What tests read in a page.
#![allow(clippy::unwrap_used, reason = "a test ends at its first surprise")]

/// Words of a page, without its marks.
pub(crate) fn text(page: &str) -> String {
    let body = page.split_once("<body>").unwrap().1;
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        text.push_str(part.split_once('>').map_or("", |(_, words)| words));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("&quot;", "\"").replace("&gt;", ">")
}

#[track_caller]
pub(crate) fn holds(page: &str, words: &[&str]) {
    assert_eq!(page.matches("<h1").count(), 1);
    assert!(!page.contains("style=\"") && !page.contains("<script"));
    let text = text(page);
    for words in words {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

/// The row of the table that holds these words.
#[track_caller]
pub(crate) fn row<'a>(page: &'a str, words: &str) -> &'a str {
    page.split("<tr").find(|it| it.contains(words)).unwrap().split_once("</tr>").unwrap().0
}

/// Whether a page of hostile words shows them as text, and those that turn or hide as replaced.
#[track_caller]
pub(crate) fn is_tame(page: &str) {
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(!page.contains("href=\"javascript:") && !page.contains("x onerror=alert(1)>\""));
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(!page.contains('\u{202e}') && !page.contains('\u{200b}'), "it is shown as replaced");
    assert!(page.contains("\u{fffd}nna"));
}
