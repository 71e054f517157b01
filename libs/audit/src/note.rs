//! Signed notes (C2SP signed-note): a text, an empty line, and lines `— name base64(id, signature)`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::{KeyId, PublicKey, SignError, Signer, check_name};

/// Bytes of a note at most.
pub const MAX_NOTE: usize = 16 * 1024;
/// Signatures of a note at most; the specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 16;
const DASH: &str = "\u{2014} ";
/// Bytes of a signature line's id and signature together.
const SIGNATURE: usize = 4 + 64;

/// A text that is no note, or a note that nobody we know signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`MAX_NOTE`].
    #[error("a signed note takes at most {MAX_NOTE} bytes, it has {0}")]
    TooLong(usize),
    /// Not of the form of a note.
    #[error("not a signed note: {0}")]
    Malformed(&'static str),
    /// A key that we know is named, and did not sign this.
    #[error("the signature by {0} is not over this text")]
    BadSignature(KeyId),
    /// No key that we know signed it.
    #[error("signed by no key that is known here, but by {0}")]
    UnknownKeys(String),
}

/// A note as it came; nothing in it is true until [`verify`](Self::verify) said so.
#[derive(Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<(KeyId, Vec<u8>)>,
}

impl Note {
    /// A note with this text, not signed yet.
    ///
    /// # Errors
    /// When the text does not end with a newline or holds other control characters.
    pub fn new(text: String) -> Result<Self, NoteError> {
        if !text.ends_with('\n') || text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::Malformed("its text is no lines"));
        }
        Ok(Self::unsigned(text))
    }

    /// A note whose text nobody checked: reading it will.
    pub(crate) const fn unsigned(text: String) -> Self {
        Self { text, signatures: Vec::new() }
    }

    /// Signs it with one more key.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn sign(&mut self, signer: &dyn Signer) -> Result<(), SignError> {
        let signature = signer.sign(self.text.as_bytes())?;
        self.add(signer.public(), &signature);
        Ok(())
    }

    /// Adds a signature that was made elsewhere, over [`text`](Self::text).
    pub fn add(&mut self, key: &PublicKey, signature: &[u8; 64]) {
        self.signatures.push((key.id().clone(), signature.to_vec()));
    }

    /// Reads a note.
    ///
    /// # Errors
    /// When it is too long or not a note.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE {
            return Err(NoteError::TooLong(note.len()));
        }
        let (text, lines) =
            note.rsplit_once("\n\n").ok_or(NoteError::Malformed("no empty line before its signatures"))?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed("no newline at its end"))?;
        let mut parsed = Self::new(format!("{text}\n"))?;
        for line in lines.split('\n') {
            parsed.signatures.push(signature(line)?);
        }
        if parsed.signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Malformed("too many signatures"));
        }
        Ok(parsed)
    }

    /// What is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which keys it claims to be signed by.
    pub fn signers(&self) -> impl Iterator<Item = &KeyId> {
        self.signatures.iter().map(|(id, _)| id)
    }

    /// Those of `known` that signed it, at least one. Signatures by others are passed over, as the specification
    /// wants: so keys can be changed, and witnesses can add theirs.
    ///
    /// # Errors
    /// When none did, or a signature that a known key is said to have made is not its.
    pub fn verify<'k>(
        &self,
        known: impl IntoIterator<Item = &'k PublicKey> + Clone,
    ) -> Result<Vec<&'k PublicKey>, NoteError> {
        let mut verified = Vec::new();
        for (id, signature) in &self.signatures {
            let Some(key) = known.clone().into_iter().find(|key| key.id() == id) else { continue };
            let signature = signature.as_slice().try_into().ok();
            if !signature.is_some_and(|signature| key.verifies(self.text.as_bytes(), signature)) {
                return Err(NoteError::BadSignature(id.clone()));
            }
            verified.push(key);
        }
        if verified.is_empty() {
            let names: Vec<String> = self.signers().map(ToString::to_string).collect();
            return Err(NoteError::UnknownKeys(names.join(", ")));
        }
        Ok(verified)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for (key, signature) in &self.signatures {
            let bytes = [key.id.as_slice(), signature].concat();
            writeln!(f, "{DASH}{} {}", key.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

fn signature(line: &str) -> Result<(KeyId, Vec<u8>), NoteError> {
    let (name, encoded) = line
        .strip_prefix(DASH)
        .and_then(|line| line.split_once(' '))
        .ok_or(NoteError::Malformed("a signature line is no dash, name and signature"))?;
    check_name(name).map_err(|_| NoteError::Malformed("a key's name cannot be one"))?;
    let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Malformed("a signature is not in base64"))?;
    let (id, signature) =
        bytes.split_first_chunk::<4>().ok_or(NoteError::Malformed("a signature has no key id"))?;
    // Other algorithms have other lengths; those of ours are told apart when a key of ours is named.
    if bytes.len() < SIGNATURE {
        return Err(NoteError::Malformed("a signature is too short"));
    }
    Ok((KeyId { name: name.to_owned(), id: *id }, signature.to_vec()))
}

#[cfg(test)]
mod tests;
