#![allow(clippy::unwrap_used)]

use super::*;
use crate::MAX_SEQ;

fn sample() -> Entry {
    Entry {
        seq: 7,
        time_ms: 1_700_000_000_123,
        salt: [9; 16],
        actor: Actor {
            kind: ActorKind::Person,
            name: "alice".to_owned(),
            via: Some("session-1".to_owned()),
            address: None,
        },
        action: "secret.read".to_owned(),
        subject: "jwt_secret".to_owned(),
        purpose: Some("a ticket".to_owned()),
        outcome: Outcome::Allowed,
        source: Source::External { device: "vault".to_owned(), event_id: "e1".to_owned() },
        details: BTreeMap::from([("b".to_owned(), String::new()), ("a".to_owned(), "1\n2".to_owned())]),
    }
}

type Change = fn(&mut Entry);

/// One change to each field that there is.
const CHANGES: &[Change] = &[
    |e| e.seq = 8,
    |e| e.time_ms += 1,
    |e| e.salt[15] ^= 1,
    |e| e.actor.kind = ActorKind::Service,
    |e| e.actor.name.push('2'),
    |e| e.actor.via = None,
    |e| e.actor.address = Some("session-1".to_owned()),
    |e| e.action.push('2'),
    |e| e.subject.push('2'),
    |e| e.purpose = None,
    |e| e.outcome = Outcome::Denied,
    |e| e.source = Source::Own,
    |e| e.source = Source::External { device: "vaulte".to_owned(), event_id: "1".to_owned() },
    |e| drop(e.details.remove("a")),
    |e| drop(e.details.insert("a".to_owned(), String::new())),
    |e| drop(e.details.insert("c".to_owned(), String::new())),
];

#[test]
fn the_canonical_bytes_are_written_down_here() {
    let mut bytes = b"insightdesk/audit/entry/v1\n".to_vec();
    bytes.extend([0, 0, 0, 0, 0, 0, 0, 7]);
    bytes.extend([0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x7b]);
    bytes.extend([9; 16]);
    bytes.extend(b"\x01\0\0\0\x05alice\0\0\0\x09session-1\0\0\0\0");
    bytes.extend(b"\0\0\0\x0bsecret.read\0\0\0\x0ajwt_secret\0\0\0\x08a ticket\x01");
    bytes.extend(b"\x01\0\0\0\x05vault\0\0\0\x02e1");
    bytes.extend(b"\0\0\0\x02\0\0\0\x01a\0\0\0\x031\n2\0\0\0\x01b\0\0\0\0");
    assert_eq!(sample().encode().unwrap(), bytes);
}

#[test]
fn what_is_encoded_decodes_to_the_same_in_bytes_and_json() {
    for change in CHANGES {
        let mut entry = sample();
        change(&mut entry);
        assert_eq!(Entry::decode(&entry.encode().unwrap()).unwrap(), entry);
        let json = serde_json::to_string(&entry).unwrap();
        assert_eq!(serde_json::from_str::<Entry>(&json).unwrap(), entry);
    }
}

#[test]
fn every_field_is_hashed() {
    let mut seen = vec![sample().encode().unwrap()];
    for change in CHANGES {
        let mut entry = sample();
        change(&mut entry);
        let bytes = entry.encode().unwrap();
        assert!(!seen.contains(&bytes), "{entry:?} has the bytes of another");
        seen.push(bytes);
    }
}

#[test]
fn only_the_canonical_form_decodes() {
    let bytes = sample().encode().unwrap();
    for cut in 0..bytes.len() {
        assert!(Entry::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let with = |from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        let mut bytes = bytes.clone();
        bytes.splice(at..at + from.len(), to.iter().copied());
        Entry::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(b"b\0\0\0\0", b"b\0\0\0\0!"), DecodeError::TrailingBytes(1));
    assert_eq!(with(b"/v1", b"/v2"), DecodeError::NotAnEntry);
    assert_eq!(with(b"alice", b"al\xffce"), DecodeError::NotText("the actor's name"));
    assert_eq!(with(b"b\0\0\0\0", b"a\0\0\0\0"), DecodeError::DetailsOutOfOrder);
    assert_eq!(with(b"b\0\0\0\0", b"A\0\0\0\0"), DecodeError::DetailsOutOfOrder);
    assert_eq!(
        with(b"ticket\x01", b"ticket\x00"),
        DecodeError::UnknownCode { field: "the outcome", code: 0 }
    );
    assert_eq!(
        with(b"\x01\0\0\0\x05vault", b"\x02\0\0\0\x05vault"),
        DecodeError::UnknownCode { field: "the source", code: 2 }
    );
    assert_eq!(
        with(b"\x05vault", b"\x00"),
        DecodeError::Entry(EntryError::Empty { field: "the source's device" })
    );
    assert_eq!(
        with(b"\0\0\0\x02\0\0\0\x01a", b"\xff\xff\xff\xff"),
        DecodeError::Entry(EntryError::TooManyDetails(u32::MAX as usize))
    );
    assert_eq!(with(b"\0\0\0\x05alice", b"\xff\xff\xff\xffalice"), DecodeError::Short("the actor's name"));
}

#[test]
fn limits_have_names() {
    let refused = |change: Change| {
        let mut entry = sample();
        change(&mut entry);
        entry.encode().unwrap_err()
    };
    assert_eq!(refused(|e| e.seq = MAX_SEQ + 1), EntryError::SequenceTooLarge);
    for bad in
        ["secret", "secret.", ".read", "secret..read", "Secret.read", "secret.1", "s e.cret", "sécret.read"]
    {
        let mut entry = sample();
        entry.action = bad.to_owned();
        assert_eq!(entry.check().unwrap_err(), EntryError::BadAction, "{bad}");
    }
    assert_eq!(
        refused(|e| e.actor.name = "x".repeat(MAX_NAME + 1)),
        EntryError::TooLong { field: "the actor's name", bytes: MAX_NAME + 1, limit: MAX_NAME }
    );
    assert_eq!(refused(|e| e.purpose = Some(String::new())), EntryError::Empty { field: "the purpose" });
    assert_eq!(
        refused(|e| e.subject = "a\u{1b}[2J".to_owned()),
        EntryError::ControlCharacter { field: "the subject" }
    );
    assert_eq!(
        refused(|e| e.subject = "a\u{85}é".to_owned()),
        EntryError::ControlCharacter { field: "the subject" }
    );
    assert_eq!(
        refused(|e| e.actor.name = "ecila\u{202e}".to_owned()),
        EntryError::ControlCharacter { field: "the actor's name" }
    );
    assert_eq!(
        refused(|e| e.details = (0..65).map(|n| (n.to_string(), String::new())).collect()),
        EntryError::TooManyDetails(65)
    );
    let large =
        |e: &mut Entry| e.details = (0..17).map(|n| (n.to_string(), "x".repeat(MAX_DETAIL))).collect();
    assert!(matches!(refused(large), EntryError::TooLarge(_)));
}

#[test]
fn json_that_two_readers_could_take_differently_is_refused() {
    let json = serde_json::to_string(&sample()).unwrap();
    for (from, to) in [
        ("\"details\":{", "\"details\":{\"a\":\"0\","),
        ("\"seq\":7", "\"seq\":7,\"seq\":7"),
        ("\"seq\":7", "\"seq\":7,\"note\":\"\""),
        ("\"name\":\"alice\"", "\"name\":\"alice\",\"role\":\"root\""),
        ("\"device\":\"vault\"", "\"device\":\"vault\",\"x\":1"),
        ("\"seq\":7", "\"seq\":7.0"),
    ] {
        let bad = json.replace(from, to);
        assert_ne!(bad, json, "{from}");
        assert!(serde_json::from_str::<Entry>(&bad).is_err(), "{bad}");
    }
}
