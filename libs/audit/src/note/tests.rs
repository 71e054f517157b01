#![allow(clippy::unwrap_used)]

use super::*;
use crate::key::{KeyError, LocalKey};

// The published example of Go's `note` package.
const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"; // not-a-secret: the specification's example
const TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNED: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

#[test]
fn the_published_note_verifies_and_is_signed_byte_for_byte() {
    let public: PublicKey = PUBLIC.parse().unwrap();
    assert_eq!(public.to_string(), PUBLIC);
    let note = Note::parse(&format!("{TEXT}\n{SIGNED}")).unwrap();
    assert_eq!(note.verify([&public]).unwrap(), [&public]);

    let key = LocalKey::from_secret_text(SECRET).unwrap();
    assert_eq!(key.to_secret_text(), SECRET);
    assert_eq!(key.public(), &public);
    let mut own = Note::new(TEXT.to_owned()).unwrap();
    own.sign(&key).unwrap();
    assert_eq!(own.to_string(), format!("{TEXT}\n{SIGNED}"));
    assert!(!format!("{key:?}").contains("AYEKFALV"));
}

#[test]
fn a_changed_text_or_signature_is_refused_and_a_strange_key_passed_over() {
    let public: PublicKey = PUBLIC.parse().unwrap();
    let other = LocalKey::from_seed("other", &[1; 32]).unwrap();
    let changed = Note::parse(&format!("{}\n{SIGNED}", TEXT.replace('y', "Y"))).unwrap();
    assert!(matches!(changed.verify([&public]), Err(NoteError::BadSignature(_))));
    let changed = Note::parse(&format!("{TEXT}\n{}", SIGNED.replace("ZJku", "ZJkv"))).unwrap();
    assert!(matches!(changed.verify([&public]), Err(NoteError::BadSignature(_))));

    let mut note = Note::parse(&format!("{TEXT}\n{SIGNED}")).unwrap();
    assert!(matches!(note.verify([other.public()]), Err(NoteError::UnknownKeys(_))));
    note.sign(&other).unwrap();
    let note = Note::parse(&note.to_string()).unwrap();
    assert_eq!(note.verify([&public]).unwrap().len(), 1);
    assert_eq!(note.verify([&public, other.public()]).unwrap().len(), 2);
}

#[test]
fn what_is_no_note_is_refused() {
    let good = format!("{TEXT}\n{SIGNED}");
    for bad in [
        String::new(),
        TEXT.to_owned(),
        format!("{TEXT}\n"),
        format!("{TEXT}{SIGNED}"),
        good.trim_end().to_owned(),
        good.replace("— ", "- "),
        good.replace("PeterNeumann", "Peter+Neumann"),
        good.replace("PeterNeumann", ""),
        good.replace("think", "thi\tnk"),
        good.replace("AM=", "AM"),
        format!("{TEXT}\n{}", SIGNED.repeat(17)),
        format!("{}\n{SIGNED}", "x\n".repeat(MAX_NOTE)),
        format!("{TEXT}\n— x AAAAAAAA\n"),
    ] {
        assert!(Note::parse(&bad).is_err(), "{bad:.200}");
    }
}

#[test]
fn a_key_with_one_character_changed_is_no_key() {
    let mut bytes = PUBLIC.as_bytes().to_vec();
    for at in 0..bytes.len() {
        bytes[at] += 1;
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.parse::<PublicKey>().is_err(), "{text}");
        bytes[at] -= 1;
    }
    for end in 0..PUBLIC.len() {
        assert!(PUBLIC[..end].parse::<PublicKey>().is_err());
    }
    // The neutral element, which "signs" everything.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(PublicKey::new("x", &neutral), Err(KeyError::Weak));
    assert!(LocalKey::from_secret_text(PUBLIC).is_err());
}
