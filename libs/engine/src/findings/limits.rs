//! How much is remembered at most. Beyond a limit the oldest is forgotten; see each.

/// Principals. A new one takes the place of the longest unseen that is itself still learning, so that a flood of
/// names does not push out whom we know well; of the longest unseen of all when none is.
pub const PRINCIPALS: usize = 1_000;
/// Secrets that are remembered of one principal.
pub const SECRETS_EACH: usize = 256;
/// Networks that are remembered of one principal.
pub const NETWORKS_EACH: usize = 64;
/// Secrets in the ten minutes of one principal.
pub const WINDOW: usize = 256;
/// Principals and addresses whose refusals are remembered.
pub const REFUSED: usize = 2_000;
/// Refusals in the five minutes of one of them; a figure of R6 that is greater counts as this.
pub const REFUSALS_EACH: usize = 64;
/// Tokens whose last network is remembered.
pub const TOKENS: usize = 4_096;
/// Requests that wait for their response, and requests that were judged.
pub const REQUESTS: usize = 4_096;
/// Devices of other systems.
pub const DEVICES: usize = 64;
/// Secrets whose versions are remembered.
pub const SECRETS: usize = 2_000;
/// Devices that show hashes of one secret's value.
pub const HASHES_EACH: usize = 4;
/// Readers that are remembered of one secret.
pub const READERS_EACH: usize = 64;
/// Roles whose logins are remembered.
pub const ROLES: usize = 1_000;
/// Bytes of a name; longer ones are cut.
pub const NAME_BYTES: usize = 128;
/// Entries that a finding names as its evidence.
pub const EVIDENCE: usize = 20;
