/// Splits a command as a shell does, with quotes and backslashes, and expands nothing. Characters that would do
/// something in a shell are refused, because here they would do nothing.
pub(crate) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => loop {
                let word = word.get_or_insert_default();
                match characters.next() {
                    Some('\'') => break,
                    Some(inside) => word.push(inside),
                    None => return Err("a single quote is not closed"),
                }
            },
            '"' => loop {
                let word = word.get_or_insert_default();
                match characters.next() {
                    Some('"') => break,
                    Some('\\') => word.push(characters.next().ok_or("a double quote is not closed")?),
                    Some(inside) => word.push(inside),
                    None => return Err("a double quote is not closed"),
                }
            },
            '\\' => {
                word.get_or_insert_default().push(characters.next().ok_or("a backslash stands at the end")?)
            }
            '|' | '&' | ';' | '<' | '>' | '`' | '$' => {
                return Err("it holds shell syntax, and no shell runs it");
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (text, expected) in [
            ("node server.js", vec!["node", "server.js"]),
            ("  a  'b c'  \"d \\\" e\" f\\ g '' ", vec!["a", "b c", "d \" e", "f g", ""]),
            ("", vec![]),
        ] {
            assert_eq!(split(text).unwrap(), expected, "{text}");
        }
        for text in ["a 'b", "a \"b", "a \\", "a | b", "a && b", "echo $HOME", "a > b"] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
