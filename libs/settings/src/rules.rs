//! Rules that span several variables. To add one: a function here, called in [`check`].

use crate::check::Values;
use crate::kind::Value;
use crate::{Environment, VARIABLES, Variable};

pub(crate) fn check(values: &mut Values) {
    pool_sizes(values);
    token_secrets_differ(values);
    token_lives(values);
    public_addresses(values);
    origins(values);
    mail_credentials(values);
    shared_storage(values);
}

fn pool_sizes(values: &mut Values) {
    let (Some(Value::Number(min)), Some(Value::Number(max))) =
        (values.by_name.get("DATABASE_POOL_MIN"), values.by_name.get("DATABASE_POOL_MAX"))
    else {
        return;
    };
    if min > max {
        let problem = format!("is {min}, more than DATABASE_POOL_MAX, which is {max}");
        values.fault(
            variable("DATABASE_POOL_MIN"),
            &problem,
            "lower DATABASE_POOL_MIN or raise DATABASE_POOL_MAX",
        );
    }
}

fn token_secrets_differ(values: &mut Values) {
    let secret = values.text("JWT_SECRET");
    if secret.is_none() || secret != values.text("JWT_REFRESH_SECRET") {
        return;
    }
    let refresh = variable("JWT_REFRESH_SECRET");
    let problem = "is the same as JWT_SECRET: an access token would pass as a refresh token";
    let fix = "set JWT_REFRESH_SECRET to the output of: openssl rand -base64 48";
    if values.environment.is_deployed() {
        values.fault(refresh, problem, fix);
    } else {
        values.warn(refresh, problem, fix);
    }
}

fn token_lives(values: &mut Values) {
    if let (Some(Value::Span(access)), Some(Value::Span(refresh))) =
        (values.by_name.get("JWT_EXPIRES_IN"), values.by_name.get("JWT_REFRESH_EXPIRES_IN"))
        && access >= refresh
    {
        let problem = "is not shorter than JWT_REFRESH_EXPIRES_IN, so refreshing is of no use";
        values.warn(variable("JWT_EXPIRES_IN"), problem, "set it to minutes, such as 15m");
    }
}

fn public_addresses(values: &mut Values) {
    if values.environment != Environment::Production {
        return;
    }
    for name in ["APP_URL", "API_URL"] {
        if values.text(name).is_some_and(|url| url.starts_with("http://")) {
            let problem = "is not encrypted: production needs https://";
            values.fault(variable(name), problem, &format!("set {name} to its https:// address"));
        }
    }
}

fn origins(values: &mut Values) {
    let Some(Value::List(origins)) = values.by_name.get("CORS_ORIGINS") else { return };
    let any = origins.iter().any(|origin| origin == "*");
    let local = origins.iter().any(|origin| origin.contains("://localhost"));
    let cors = variable("CORS_ORIGINS");
    let fix = "name the origins of your own pages";
    if any && values.environment.is_deployed() {
        values.fault(cors, "lets every page on the internet call the API", fix);
    } else if local && values.environment == Environment::Production {
        values.warn(cors, "lets pages of localhost call the API", fix);
    }
}

fn mail_credentials(values: &mut Values) {
    let pair = ["SMTP_USER", "SMTP_PASS"];
    for (name, other) in [(pair[0], pair[1]), (pair[1], pair[0])] {
        let faulty = values.report.faults.iter().any(|fault| fault.variable == name);
        if !faulty && values.text(name).is_none() && values.text(other).is_some() {
            values.missing(variable(name), &format!("{other} is set and means nothing without it"));
        }
    }
}

fn shared_storage(values: &mut Values) {
    let local = values.text("STORAGE_PROVIDER").as_deref() == Some("local");
    if local && values.environment.is_deployed() {
        let problem = "keeps files on one machine, where other replicas do not see them";
        values.warn(variable("STORAGE_PROVIDER"), problem, "set STORAGE_PROVIDER to cloudinary or s3");
    }
}

fn variable(name: &str) -> &'static Variable {
    VARIABLES.iter().find(|variable| variable.name == name).expect("rules name variables of the table")
}
