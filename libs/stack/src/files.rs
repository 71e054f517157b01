use std::path::Path;

use crate::reader::quoted;

/// Most files that are looked through for those that match.
const MOST: usize = 10_000;

/// Whether files have the name that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    Some,
    None,
}

/// The pattern with its folder, absolute, and whether any file has such a name.
pub(crate) fn matching(base: &Path, pattern: &str) -> Result<(String, Matching), String> {
    let path = base.join(pattern);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(format!("{} is no file", quoted(pattern)));
    };
    let name = name.to_string_lossy();
    if folder.to_string_lossy().contains(['*', '?', '[']) || name.contains('[') {
        return Err(format!("{}: only the last part may hold *", quoted(pattern)));
    }
    let found = if name.contains(['*', '?']) {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST);
        entries.into_iter().any(|it| fits(&name, &it.file_name().to_string_lossy()))
    } else {
        path.is_file()
    };
    Ok((path.to_string_lossy().into_owned(), if found { Matching::Some } else { Matching::None }))
}

/// Whether `name` fits `pattern`, where `*` is anything and `?` one character. No recursion: both are foreign.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut back) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p + 1, n));
                p += 1;
            }
            Some(it) if *it == '?' || Some(it) == name.get(n) => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((star, from)) = back else { return false };
                (p, n) = (star, from + 1);
                back = Some((star, from + 1));
            }
        }
    }
    pattern.iter().skip(p).all(|it| *it == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_anything() {
        for (pattern, name, expected) in [
            ("*.yml", "a.yml", true),
            ("*.yml", "a.yaml", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("??.yml", "ab.yml", true),
            ("*", "", true),
            ("", "a", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
