use ops_contract::Environment;

use super::is_name;
use crate::reader::quoted;
use crate::section::Section;

/// Name and environment of the stack.
pub(super) fn read(root: &Section<'_, '_>) -> (String, Environment) {
    let Some(section) = root.table("stack", "stack") else {
        if root.value("stack").is_none() {
            root.missing("stack", "add [stack] with name = \"insightdesk\" and an environment");
        }
        return ("stack".to_owned(), Environment::Development);
    };
    if section.value("name").is_none() {
        section.missing("name", "add name = \"insightdesk\"");
    }
    let name = section.string("name");
    if let Some(at) = name.as_ref().filter(|at| !is_name(&at.value)) {
        let fix = "use lower case letters, digits and dashes, a letter first, at most 40";
        section.reader.wrong(at, format!("{} cannot be a name", quoted(&at.value)), fix);
    }
    let environment = section.choice(
        "environment",
        &[
            ("development", Environment::Development),
            ("test", Environment::Test),
            ("staging", Environment::Staging),
            ("production", Environment::Production),
        ],
    );
    (
        name.map_or_else(|| "stack".to_owned(), |at| at.value),
        environment.map_or(Environment::Development, |at| at.value),
    )
}
