use serde::{Deserialize, Serialize};

/// What went wrong with a request: RFC 9457 problem details, sent as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank`, or a URN of the kind of fault.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind of fault in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong with this very request and how to mend it.
    pub detail: String,
    /// The id under which the server's log has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}
