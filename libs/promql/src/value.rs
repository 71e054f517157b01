use ops_samples::{Labels, Sample};

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// One number.
    Scalar,
    /// One text.
    String,
    /// One sample per series.
    Vector,
    /// Samples over a range per series.
    Matrix,
}

/// The result of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number at the time of evaluation.
    Scalar(Sample),
    /// One text.
    String(String),
    /// One sample per series.
    Vector(Vec<VectorSample>),
    /// Samples over a range per series, ordered by labels.
    Matrix(Vec<RangeSeries>),
}

/// One series' value at the time of evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorSample {
    /// What names the series.
    pub labels: Labels,
    /// Its value, at the time of evaluation.
    pub sample: Sample,
}

/// One series' values over a range.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeSeries {
    /// What names the series.
    pub labels: Labels,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// A result and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result.
    pub value: Value,
    /// What is probably wrong with the data or the expression, in Prometheus' words.
    pub warnings: Vec<String>,
    /// What may be wrong with it.
    pub infos: Vec<String>,
}
