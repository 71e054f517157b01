//! `${NAME}` in the file's texts.

use std::collections::BTreeMap;

use super::node::Node;
use super::reader::Reader;

/// Largest file in bytes after everything was filled in.
const LARGEST: usize = 8 << 20;

/// Fills in every name that `lookup` knows; the others stay and are told, each once.
pub(super) fn fill(reader: &mut Reader<'_>, root: &mut Node, lookup: &dyn Fn(&str) -> Option<String>) {
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut unset: BTreeMap<String, u64> = BTreeMap::new();
    let mut size = 0;
    root.texts(&mut |line, text| {
        if text.contains("${") && size <= LARGEST {
            *text = filled(text, &mut |name| {
                let value = known.entry(name.to_owned()).or_insert_with(|| lookup(name));
                if value.is_none() {
                    unset.entry(name.to_owned()).or_insert(line);
                }
                value.clone()
            });
            size += text.len();
        }
    });
    if size > LARGEST {
        reader.fault(0, "", format!("with its variables filled in it is larger than {LARGEST} bytes"), "");
    }
    for (name, line) in unset {
        let problem = format!("${{{name}}} is not set and stays as it is");
        reader.remark(line, "", problem, &format!("set {name}"));
    }
}

fn filled(text: &str, value: &mut dyn FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let (name, tail) = after.split_at(end);
        let found =
            tail.strip_prefix('}').filter(|_| is_name(name)).and_then(|tail| Some((value(name)?, tail)));
        match found {
            Some((value, tail)) => {
                // What is filled in is not looked at again.
                out.push_str(&value);
                rest = tail;
            }
            None => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn only_names_in_braces_are_filled_in_and_only_once() {
        let mut lookup = |name: &str| match name {
            "A" => Some("1".to_owned()),
            "B_2" => Some("${A}".to_owned()),
            _ => None,
        };
        for (text, expected) in [
            ("${A}", "1"),
            ("x${A}y${A}", "x1y1"),
            ("${B_2}", "${A}"),
            ("${C} ${A}", "${C} 1"),
            ("$A ${A ${} ${2} ${A}", "$A ${A ${} ${2} 1"),
            ("{{ template \"${A}\" }}$", "{{ template \"1\" }}$"),
            ("${${A}}", "${1}"),
            ("ä${A}ä", "ä1ä"),
        ] {
            assert_eq!(filled(text, &mut lookup), expected, "{text}");
        }
    }
}
