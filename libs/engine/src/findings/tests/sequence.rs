//! R8: what cannot be.

use ops_contract::FindingSeverity::{Critical, Warning};

use crate::findings::Deploy;
use crate::findings::testing::*;

#[test]
fn one_token_in_two_networks_within_a_minute() {
    let mut scene = Scene::new();
    let using = |network: &str, seconds| {
        from(network, device("vault.read", "alice", "s0", MONDAY + seconds, &[("token_hmac", "h1")]))
    };
    assert!(scene.by("R8", using("10.1.2.3", 0)).is_empty());
    assert!(scene.by("R8", using("10.1.2.9", 1)).is_empty(), "the same network");
    let found = scene.by("R8", using("10.9.2.3", 60));
    assert_eq!((found[0].severity, found[0].evidence.as_slice()), (Critical, &[1, 2][..]));
    assert!(scene.by("R8", using("10.1.2.3", 120)).is_empty(), "a minute later");
    let other = device("vault.read", "alice", "s0", MONDAY + 121, &[("token_hmac", "h2")]);
    assert!(scene.by("R8", from("10.7.7.7", other)).is_empty(), "another token");
    assert!(scene.by("R8", using("10.3.3.3", -9_999)).is_empty(), "a clock that was set back is no journey");
}

#[test]
fn one_token_means_nothing_across_devices() {
    let mut scene = Scene::new();
    let one = device("vault.read", "alice", "s0", MONDAY, &[("token_hmac", "h")]);
    let other = ops_contract::AuditEntry { device: Some("vault2".into()), ..from("9.9.9.9", one.clone()) };
    assert!(scene.by("R8", one).is_empty());
    assert!(scene.by("R8", other).is_empty());
}

#[test]
fn nobody_is_in_two_towns_at_once() {
    let mut scene = Scene::new();
    let in_town = |lat: &str, lon: &str, seconds| {
        device("vault.read", "userpass-alice", "s0", MONDAY + seconds, &[("lat", lat), ("lon", lon)])
    };
    let (berlin, munich) = (("52.520", "13.405"), ("48.137", "11.575"));
    assert!(scene.by("R8", in_town(berlin.0, berlin.1, 0)).is_empty());
    assert!(
        scene.by("R8", in_town("52.390", "13.065", 1)).is_empty(),
        "Potsdam is as near as addresses are exact"
    );
    assert!(scene.by("R8", in_town(munich.0, munich.1, 2 * HOUR)).is_empty(), "there are aeroplanes");
    assert!(scene.by("R8", in_town("north", "181", 2 * HOUR)).is_empty());
    let found = scene.by("R8", in_town(berlin.0, berlin.1, 2 * HOUR + 1_700));
    assert_eq!((found.len(), found[0].severity), (1, Warning));
    assert!(found[0].summary.contains("504 km away"), "{}", found[0].summary);
}

#[test]
fn who_left_does_not_come_back() {
    let mut scene = Scene::new();
    scene.departed.insert("alice".to_owned(), at(MONDAY));
    assert!(scene.by("R8", read("alice", "s0", MONDAY)).is_empty());
    let found = scene.by("R8", read("alice", "s0", MONDAY + 3 * DAY));
    assert_eq!(found[0].severity, Critical);
    assert_eq!(found[0].summary, "alice left 3 days ago; somebody with that name read s0 and succeeded");
    assert_eq!(scene.by("R8", refused("alice", "s0", MONDAY + DAY))[0].severity, Warning);
    let by_store = device("vault.login", "userpass-alice", "auth/userpass/login/alice", MONDAY + DAY, &[]);
    assert_eq!(scene.by("R8", by_store)[0].severity, Critical);
    assert!(scene.by("R8", read("bob", "s0", MONDAY + DAY)).is_empty());
}

#[test]
fn a_role_logs_in_when_it_is_deployed_or_renews() {
    let mut scene = Scene::new();
    let login = |seconds| {
        let details = [("role_name", "api")];
        device("vault.login", "approle", "auth/approle/login", MONDAY + seconds, &details)
    };
    assert!(scene.by("R8", login(0)).is_empty(), "nobody tells of deploys");
    scene.deploys = Some(vec![Deploy { principal: "api".into(), from: at(MONDAY + 9), until: None }]);
    assert!(scene.by("R8", login(DAY)).is_empty(), "it renews from where it was");
    assert!(scene.by("R8", from("10.5.5.5", login(DAY))).is_empty(), "it is being deployed");
    scene.deploys = Some(Vec::new());
    assert_eq!(scene.by("R8", from("10.6.6.6", login(DAY))).len(), 1);
    assert_eq!(scene.by("R8", login(2 * DAY + 1)).len(), 1, "a day and a second");
}

#[test]
fn an_old_version_is_not_read_when_its_grace_is_over() {
    let mut scene = Scene::new();
    let read = |version: &str, seconds| {
        device("vault.read", "alice", "s0", MONDAY + seconds, &[("version", version)])
    };
    scene.observe(read("1", 0));
    let write = device("vault.update", "approle", "s0", MONDAY + 100, &[("version", "2")]);
    scene.observe(write);
    assert!(scene.by("R8", read("1", 100 + DAY)).is_empty(), "its grace is a day");
    assert!(scene.by("R8", read("2", 101 + DAY)).is_empty());
    let found = scene.by("R8", read("1", 101 + DAY));
    assert_eq!((found[0].severity, found[0].evidence.as_slice()), (Warning, &[1, 4][..]));
    assert_eq!(found[0].summary, "alice read version 1 of s0, which version 2 replaced 24 hours ago");
    assert!(scene.by("R8", read("-1", 102 + DAY)).is_empty());
}
