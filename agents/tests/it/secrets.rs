use ops_contract::{ActionCause, ActionKind, Environment, SecretSource, SecretSpec, ServiceName, Stack};

use crate::world::World;

fn app(stack: &mut Stack) -> &mut ops_contract::ServiceSpec {
    stack.services.get_mut(&ServiceName::from("app")).unwrap()
}

fn from_env(stack: &mut Stack, name: &str) {
    let source = SecretSource::Env { variable: name.to_owned() };
    stack.secrets.insert(name.to_owned(), SecretSpec::new(source));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_reach_the_program_and_never_its_log() {
    let mut world = World::with_stack(|programs, stack| {
        from_env(stack, "API_KEY");
        stack.secrets.insert("MADE".to_owned(), SecretSpec::new(SecretSource::Generated));
        let spec = app(stack);
        spec.secrets = vec!["API_KEY".to_owned(), "MADE".to_owned()];
        spec.env.insert("URL".to_owned(), "redis://:${secret.API_KEY}@localhost".to_owned());
        let program = &programs.program;
        // Written in two halves: the reader sees them apart.
        spec.program.command = vec![
            program.clone(),
            "environment".into(),
            "say".into(),
            "key is correct-horse-".into(),
            "battery!staple".into(),
            " indeed".into(),
        ];
    })
    .await;
    world.kill_agent();
    std::fs::write(world.folder.path().join(".env"), "API_KEY='correct-horse-battery!staple'\n").unwrap();
    world.start_agent();
    world.start_ready().await;
    let log = world.log_text(1);
    for line in [
        "API_KEY=[redacted]",
        "URL=redis://:[redacted]@localhost",
        "MADE=[redacted]",
        "key is [redacted] indeed",
    ] {
        assert!(log.contains(line), "{line} is not in\n{log}");
    }
    let made: serde_json::Value =
        serde_json::from_slice(&std::fs::read(world.state_dir().join("secrets.json")).unwrap()).unwrap();
    assert!(made["MADE"].as_str().unwrap().len() >= 43);
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(world.state_dir().join("secrets.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!world.agent_log().contains("battery!staple"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_fails_the_start_by_name() {
    let world = World::with_stack(|_, stack| {
        from_env(stack, "API_KEY");
        app(stack).secrets = vec!["API_KEY".to_owned()];
    })
    .await;
    let id = world.ask(ActionKind::Start, 1, ActionCause::Operator);
    let error = world.result(&id).await.error.unwrap();
    assert_eq!(error, "secret API_KEY is missing: set API_KEY in the agent's environment or its .env file");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_up_in_production() {
    let world = World::with_stack(|_, stack| {
        stack.environment = Environment::Production;
        stack.secrets.insert("MADE".to_owned(), SecretSpec::new(SecretSource::Generated));
        app(stack).secrets = vec!["MADE".to_owned()];
    })
    .await;
    let id = world.ask(ActionKind::Start, 1, ActionCause::Operator);
    let error = world.result(&id).await.error.unwrap();
    assert!(error.contains("may not be generated in staging or production"), "{error}");
    assert!(!world.state_dir().join("secrets.json").exists());
}
