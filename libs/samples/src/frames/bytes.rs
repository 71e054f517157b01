use super::FrameError;

/// Bytes that are read from their start.
#[derive(Clone, Debug)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn byte(&mut self, what: &'static str) -> Result<u8, FrameError> {
        let (first, rest) = self.0.split_first().ok_or(FrameError::Short(what))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], FrameError> {
        let (first, rest) = self.0.split_first_chunk().ok_or(FrameError::Short(what))?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn unsigned(&mut self, what: &'static str) -> Result<u64, FrameError> {
        let mut sum = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            if shift == 63 && byte > 1 {
                break;
            }
            sum |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(sum);
            }
        }
        Err(FrameError::Range(what))
    }

    pub(super) fn signed(&mut self, what: &'static str) -> Result<i64, FrameError> {
        let it = self.unsigned(what)?;
        Ok((it >> 1).cast_signed() ^ -(it & 1).cast_signed())
    }

    pub(super) fn text(&mut self, what: &'static str) -> Result<&'a str, FrameError> {
        let length = usize::try_from(self.unsigned(what)?).map_err(|_| FrameError::Range(what))?;
        let (text, rest) = self.0.split_at_checked(length).ok_or(FrameError::Short(what))?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| FrameError::Text(what))
    }
}

pub(super) fn push_unsigned(out: &mut Vec<u8>, mut it: u64) {
    while it >= 0x80 {
        out.push((it & 0x7f) as u8 | 0x80);
        it >>= 7;
    }
    out.push(it as u8);
}

pub(super) fn push_signed(out: &mut Vec<u8>, it: i64) {
    push_unsigned(out, ((it << 1) ^ (it >> 63)).cast_unsigned());
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}
