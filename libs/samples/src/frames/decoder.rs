use super::bytes::Bytes;
use super::{
    BEGINS, DEFINE, ENDED, FORGET, FrameError, INTEGER, MAGIC, MAX_FRAME, MAX_PAIRS, MAX_SERIES, METADATA,
    Metadata, RAW, SAMPLES, SINGLE, THOUSANDTHS, TIMED, VALUE, VERSION,
};
use crate::{Labels, STALE, Sample};

/// What a frame says, piece by piece. After an error it says nothing more.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    rest: Bytes<'a>,
    session: u128,
    begins: bool,
    /// Samples of the batch that are still to come, its time, and the number of the last one.
    left: u64,
    base_ms: i64,
    number: u32,
}

/// A piece of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Item<'a> {
    /// Gives a series its number.
    Define(u32, Labels),
    /// A sample of the series with that number; its value is [`STALE`] when the series ended.
    Sample(u32, Sample),
    /// What a metric is.
    Metadata(Metadata<'a>),
    /// The number is not used any more in this session.
    Forget(u32),
}

impl<'a> Decoder<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// Bytes that are no frame, a version that this program does not read, more than [`MAX_FRAME`] bytes.
    pub fn new(frame: &'a [u8]) -> Result<Self, FrameError> {
        if frame.len() > MAX_FRAME {
            return Err(FrameError::Long(frame.len()));
        }
        let mut rest = Bytes(frame);
        if rest.array("its header").map_err(|_| FrameError::Magic)? != MAGIC {
            return Err(FrameError::Magic);
        }
        match rest.byte("its header")? {
            VERSION => {}
            other => return Err(FrameError::Version(other)),
        }
        let flags = rest.byte("its header")?;
        let session = u128::from_le_bytes(rest.array("its header")?);
        Ok(Self { rest, session, begins: flags & BEGINS != 0, left: 0, base_ms: 0, number: 0 })
    }

    /// Within which session the numbers mean what they mean.
    #[must_use]
    pub fn session(&self) -> u128 {
        self.session
    }

    /// Whether the session begins with this frame, so that it need not be known before.
    #[must_use]
    pub fn begins(&self) -> bool {
        self.begins
    }

    /// About how many samples there are, for allocating once: most take three bytes or more.
    #[must_use]
    pub fn samples_about(&self) -> usize {
        self.rest.0.len() / 3
    }

    fn item(&mut self) -> Result<Option<Item<'a>>, FrameError> {
        loop {
            if self.left > 0 {
                self.left -= 1;
                return self.sample().map(Some);
            }
            if self.rest.0.is_empty() {
                return Ok(None);
            }
            match self.rest.byte("a record")? {
                DEFINE => return self.definition().map(Some),
                SAMPLES => {
                    self.base_ms = self.rest.signed("a batch's time")?;
                    self.left = self.rest.unsigned("a batch's size")?;
                    self.number = 0;
                }
                METADATA => return self.metadata().map(Some),
                FORGET => return Ok(Some(Item::Forget(self.number("a forgotten number")?))),
                other => return Err(FrameError::Record(other)),
            }
        }
    }

    fn number(&mut self, what: &'static str) -> Result<u32, FrameError> {
        let number = self.rest.unsigned(what)?;
        u32::try_from(number).ok().filter(|it| *it < MAX_SERIES).ok_or(FrameError::Range(what))
    }

    fn definition(&mut self) -> Result<Item<'a>, FrameError> {
        let number = self.number("a series' number")?;
        let count = self.rest.unsigned("a series' labels")?;
        if count > MAX_PAIRS {
            return Err(FrameError::Range("how many labels a series has"));
        }
        let mut pairs = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
        for _ in 0..count {
            pairs.push((self.rest.text("a label")?, self.rest.text("a label's value")?));
        }
        let labels = Labels::new(pairs).map_err(|source| FrameError::Labels { number, source })?;
        Ok(Item::Define(number, labels))
    }

    fn metadata(&mut self) -> Result<Item<'a>, FrameError> {
        let rest = &mut self.rest;
        let (metric, kind) = (rest.text("a metric's name")?, rest.text("a metric's type")?);
        let (help, unit) = (rest.text("a metric's help")?, rest.text("a metric's unit")?);
        Ok(Item::Metadata(Metadata { metric, kind, help, unit }))
    }

    fn sample(&mut self) -> Result<Item<'a>, FrameError> {
        let first = self.rest.byte("a sample")?;
        let distance = match first >> 4 {
            0 => self.rest.signed("a sample's number")?,
            near => i64::from(near),
        };
        let number = i64::from(self.number).checked_add(distance).and_then(|it| u32::try_from(it).ok());
        self.number = number.filter(|it| *it < MAX_SERIES).ok_or(FrameError::Range("a sample's number"))?;
        let value = match first & VALUE {
            RAW => f64::from_le_bytes(self.rest.array("a sample's value")?),
            INTEGER => self.rest.signed("a sample's value")? as f64,
            ENDED => STALE,
            SINGLE => f64::from(f32::from_le_bytes(self.rest.array("a sample's value")?)),
            THOUSANDTHS => self.rest.signed("a sample's value")? as f64 / 1000.0,
            other => return Err(FrameError::Value(other)),
        };
        let later = if first & TIMED == 0 { 0 } else { self.rest.signed("a sample's time")? };
        let at_ms = self.base_ms.checked_add(later).ok_or(FrameError::Range("a sample's time"))?;
        Ok(Item::Sample(self.number, Sample { at_ms, value }))
    }
}

impl<'a> Iterator for Decoder<'a> {
    type Item = Result<Item<'a>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.item().transpose();
        if matches!(item, Some(Err(_))) {
            self.rest = Bytes(&[]);
            self.left = 0;
        }
        item
    }
}
