use ops_contract::{ActionCause, ActionKind, ReplicaPhase, ServiceName};

use crate::world::{World, service, shell};

#[tokio::test(flavor = "multi_thread")]
async fn the_balancer_is_told_who_serves_and_a_draining_replica_leaves_first() {
    let world = World::with_stack(|programs, stack| {
        let app = stack.services.get_mut(&ServiceName::from("app")).unwrap();
        app.route = Some("/socket.io/".to_owned());
        let mut balancer = service(programs);
        // Not nginx, but it hears the same signal; before it listens for it, the signal would end it.
        shell(
            &mut balancer,
            "sleep 0.5; trap 'echo told; cat ../upstreams.conf' HUP; while :; do sleep 0.05; done",
        );
        balancer.program.directory = "/".to_owned();
        stack.services.insert(ServiceName::from("balancer"), balancer);
    })
    .await;
    let upstreams = world.state_dir().join("data/nginx/upstreams.conf");
    let read = || std::fs::read_to_string(&upstreams).unwrap_or_default();
    world.eventually(|| read().contains("server 127.0.0.1:1 ").then_some(())).await.unwrap();

    let id = world.ask_of(ActionKind::Start, "balancer", 1, ActionCause::StackStart);
    world.result(&id).await;
    let port = world.start_ready().await.port.unwrap();
    let serving = format!("upstream app {{\n    ip_hash;\n    server 127.0.0.1:{port} max_fails=0;\n}}\n");
    world.eventually(|| read().contains(&serving).then_some(())).await.unwrap();
    let heard = world.state_dir().join("logs/balancer/0/1.log");
    let told = || std::fs::read_to_string(&heard).unwrap_or_default().matches("told").count();
    world.eventually(|| (told() >= 1).then_some(())).await.unwrap();

    let before = told();
    let id = world.ask(ActionKind::Stop, 1, ActionCause::Operator);
    world.until_phase(ReplicaPhase::Draining).await;
    assert!(!read().contains(&serving), "it is out of the balancer before it is told to stop");
    world.result(&id).await;
    world.eventually(|| (told() > before).then_some(())).await.unwrap();
}
