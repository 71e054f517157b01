use std::fmt::Write;

use crate::{Environment, Need, VARIABLES, Variable};

const RULE: &str = "# ============================================";

/// The commented example file for `environment`, in sections.
///
/// What it prints for development can be used as it is; elsewhere the placeholders are refused until replaced.
pub fn example(environment: Environment) -> String {
    let mut text = format!("# .env.example for {environment}, written by `insightdesk env example`.\n");
    let mut section = None;
    for variable in VARIABLES {
        if section != Some(variable.section) {
            section = Some(variable.section);
            let _ = write!(text, "\n{RULE}\n# {}\n{RULE}\n", variable.section.title());
        }
        write_variable(&mut text, variable, environment);
    }
    text
}

fn write_variable(text: &mut String, variable: &Variable, environment: Environment) {
    let Variable { name, description, .. } = variable;
    let value = value(variable, environment);
    let mark = if variable.commented { "# " } else { "" };
    if *name == "AWS_ACCESS_KEY_ID" {
        text.push_str("\n# OR for S3\n# STORAGE_PROVIDER=s3\n");
    }
    let _ = writeln!(text, "# {description}. {}", notes(variable, environment));
    let _ = writeln!(text, "{mark}{name}={value}");
}

fn value(variable: &Variable, environment: Environment) -> String {
    let production = environment == Environment::Production;
    match variable.name {
        "NODE_ENV" => environment.as_str().into(),
        // Production takes no unencrypted address, so its example must not teach one.
        "APP_URL" if production => "https://app.example.com".into(),
        "API_URL" if production => "https://api.example.com".into(),
        "CORS_ORIGINS" if production => "https://app.example.com".into(),
        _ => variable.example.into(),
    }
}

/// Kind, need, default and secrecy in a few words.
fn notes(variable: &Variable, environment: Environment) -> String {
    let mut notes = vec![capitalised(&variable.kind.to_string())];
    match variable.need {
        need if need.in_environment(environment) => notes.push("required".into()),
        Need::WithCloudinary => notes.push("required by STORAGE_PROVIDER=cloudinary".into()),
        Need::WithS3 => notes.push("required by STORAGE_PROVIDER=s3".into()),
        Need::Recommended => notes.push("recommended in staging and production".into()),
        Need::Optional | Need::Always | Need::Deployed => match variable.default {
            Some(default) => notes.push(format!("default {default}")),
            None => notes.push("optional".into()),
        },
    }
    if variable.secret {
        notes.push("secret".into());
    }
    format!("{}.", notes.join("; "))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
