use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ops_audit::entry::Source;
use serde_json::{Value, json};

use super::*;

const CLEAR: &str = "canary-in-clear";

fn secrets() -> BTreeMap<String, SecretSpec> {
    let aws = |id: &str| SecretSpec::new(SecretSource::AwsSecretsManager { id: id.to_owned(), field: None });
    [
        ("DB", aws("prod/db")),
        ("API", aws("arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/api-AbCdEf")),
        ("ENV", SecretSpec::new(SecretSource::Env { variable: "prod/env".to_owned() })),
    ]
    .map(|(name, spec)| (name.to_owned(), spec))
    .into()
}

fn event(source: &str, name: &str, sent: Value) -> Value {
    json!({
        "eventVersion": "1.11", "eventID": "e-1", "eventTime": "2026-11-20T08:00:00Z", "eventSource": source, "eventName": name,
        "awsRegion": "eu-central-1", "sourceIPAddress": "198.51.100.7", "recipientAccountId": "123456789012",
        "userIdentity": { "type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/admin/alice",
            "principalId": "AROA:alice", "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": { "sessionIssuer": { "type": "Role", "userName": "admin" } } },
        "requestParameters": sent, "responseElements": { "secretString": CLEAR }
    })
}

fn get(secret: &str) -> Value {
    event(
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        json!({ "secretId": secret, "clientRequestToken": CLEAR }),
    )
}

fn found(records: &[Value]) -> Found {
    read(json!({ "Records": records }).to_string().as_bytes(), &secrets()).unwrap()
}

fn one(record: Value) -> Draft {
    let mut found = found(&[record]);
    assert_eq!(found.drafts.len(), 1, "{found:?}");
    found.drafts.remove(0)
}

#[test]
fn a_read_tells_who_read_which_of_our_secrets_from_where() {
    let draft = one(get("prod/db"));
    assert_eq!((draft.action.as_str(), draft.subject.as_str()), ("aws.get_secret_value", "DB"));
    assert_eq!(
        (draft.actor.name.as_str(), draft.actor.address.as_deref()),
        ("admin/alice", Some("198.51.100.7"))
    );
    assert_eq!(draft.source, Source::External { device: "cloudtrail".into(), event_id: "e-1".into() });
    for (name, value) in [
        ("role_name", "admin"),
        ("path", "prod/db"),
        ("time_ms", "1795161600000"),
        ("account", "123456789012"),
    ] {
        assert_eq!(draft.details.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!format!("{draft:?}").contains(CLEAR));
}

#[test]
fn secrets_are_known_by_name_and_by_arn() {
    let arn = |name: &str| format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}");
    for (asked, name) in [
        ("prod/db".to_owned(), "DB"),
        (arn("prod/db-Xy12Zz"), "DB"),
        (arn("prod/db"), "DB"),
        ("prod/api".to_owned(), "API"),
        (arn("prod/api-AbCdEf"), "API"),
        ("prod/env".to_owned(), "prod/env"),
        ("prod/db2".to_owned(), "prod/db2"),
    ] {
        assert_eq!(one(get(&asked)).subject, name, "{asked}");
    }
}

#[test]
fn how_it_ended_is_known_by_its_error() {
    for (code, outcome) in [
        (json!(null), Outcome::Allowed),
        (json!("AccessDenied"), Outcome::Denied),
        (json!("AccessDeniedException"), Outcome::Denied),
        (json!("Client.UnauthorizedOperation"), Outcome::Denied),
        (json!("ResourceNotFoundException"), Outcome::Failed),
    ] {
        let mut record = get("prod/db");
        record["errorCode"] = code.clone();
        assert_eq!(one(record).outcome, outcome, "{code}");
    }
    let mut login = event("signin.amazonaws.com", "ConsoleLogin", json!(null));
    login["responseElements"] = json!({ "ConsoleLogin": "Failure" });
    let login = one(login);
    assert_eq!((login.action.as_str(), login.outcome), ("aws.login", Outcome::Denied));
}

#[test]
fn changes_of_secrets_and_trails_are_taken_and_the_rest_is_counted() {
    let sm = "secretsmanager.amazonaws.com";
    let batch = event(sm, "BatchGetSecretValue", json!({ "secretIdList": ["prod/db", "prod/api", "other"] }));
    let drafts = found(&[batch]).drafts;
    let subjects: Vec<&str> = drafts.iter().map(|it| it.subject.as_str()).collect();
    assert_eq!(subjects, ["DB", "API", "other"]);
    let put = one(event(sm, "PutSecretValue", json!({ "secretId": "prod/db", "secretString": CLEAR })));
    assert_eq!(put.action, "aws.put_secret_value");
    assert!(!format!("{put:?}").contains(CLEAR));
    for name in ["StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"] {
        let draft = one(event("cloudtrail.amazonaws.com", name, json!({ "name": "main" })));
        assert_eq!((draft.action, draft.subject), (format!("aws.{}", snake(name)), "main".to_owned()));
    }
    let assumed =
        one(event("sts.amazonaws.com", "AssumeRole", json!({ "roleArn": "arn:aws:iam::1:role/admin" })));
    assert_eq!(assumed.action, "aws.assume_role");
    let others =
        found(&[event("ec2.amazonaws.com", "RunInstances", json!({ "userData": CLEAR })), json!({})]);
    assert_eq!((others.drafts.len(), others.others), (0, 2));
}

#[test]
fn whoever_it_was_has_a_name() {
    let identity = |it: Value| {
        let mut record = get("prod/db");
        record["userIdentity"] = it;
        one(record)
    };
    for (who, name) in [
        (json!({ "type": "IAMUser", "userName": "bob", "arn": "arn:aws:iam::1:user/bob" }), "bob"),
        (json!({ "type": "Root", "arn": "arn:aws:iam::1:root" }), "root"),
        (json!({ "type": "AWSService", "invokedBy": "rds.amazonaws.com" }), "rds.amazonaws.com"),
        (json!({ "type": "WebIdentityUser", "principalId": "x:y" }), "x:y"),
        (json!(null), "-"),
    ] {
        assert_eq!(identity(who).actor.name, name);
    }
    assert_eq!(identity(json!({ "type": "Root" })).details["policies"], "root", "rule R9 tells it");
}

#[test]
fn files_are_packed_or_not_and_rubbish_is_refused() {
    let text = json!({ "Records": [get("prod/db")] }).to_string();
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    assert_eq!(read(&packed, &secrets()).unwrap().drafts.len(), 1);
    let torn = packed.get(..packed.len() / 2).unwrap();
    assert_eq!(read(torn, &secrets()).unwrap_err(), Unread::Damaged);
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..65 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    assert_eq!(read(&bomb.finish().unwrap(), &secrets()).unwrap_err(), Unread::TooLong);
    for rubbish in ["", "{", "[]", "{}", r#"{"Records":7}"#, r#"{"Records":[7]}"#, "\u{0}"] {
        assert!(matches!(read(rubbish.as_bytes(), &secrets()), Err(Unread::NoRecords { .. })), "{rubbish:?}");
    }
    let odd = event(
        "secretsmanager.amazonaws.com",
        "GetSecretValue",
        json!({ "secretId": [CLEAR], "name": { "a": CLEAR } }),
    );
    assert!(!format!("{:?}", one(odd)).contains(CLEAR));
}
