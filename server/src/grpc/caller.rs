//! Who asks. KEDA cannot send headers, so a token may also stand in the trigger's metadata.

use std::collections::HashMap;
use std::net::IpAddr;

use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

use crate::auth::{Door, Identity};
use crate::{App, clock};

/// Keys of the trigger's metadata that may hold the token. The second is how KEDA passes a variable of the scaled
/// workload on, which may come from a Secret.
const TOKEN_KEYS: [&str; 2] = ["token", "tokenFromEnv"];

/// What a request says of who makes it; kept apart from the request, which is used up meanwhile.
pub(super) struct Caller {
    token: Option<String>,
    address: IpAddr,
}

impl Caller {
    pub(super) fn of<T>(request: &Request<T>, metadata: &HashMap<String, String>) -> Self {
        let given = TOKEN_KEYS.iter().find_map(|key| metadata.get(*key).cloned());
        let token = header(request.metadata()).or(given).map(|it| it.trim().to_owned());
        let address = request.remote_addr().map_or(IpAddr::from([0, 0, 0, 0]), |it| it.ip());
        Self { token: token.filter(|it| !it.is_empty() && it.len() <= 512), address }
    }

    /// Lets every operator in, viewers too. Wrong tries are counted and then refused, apart from those over HTTP.
    pub(super) async fn admit(self, app: &App) -> Result<(), Status> {
        let now = clock::now();
        let Some(token) = self.token else { return Err(stranger()) };
        if !app.auth.is_known(&token)
            && let Some(wait) = app.auth.brake.wait(self.address, Door::Scaler, now)
        {
            let text = format!("too many wrong tries from this address; wait {} s", wait.as_secs() + 1);
            return Err(Status::resource_exhausted(text));
        }
        match app.auth.by_token(&app.store, &token, app.store_fault().is_some(), now).await {
            Ok(Some(Identity::Operator(_))) => Ok(()),
            Ok(Some(Identity::Agent(_))) => {
                Err(Status::permission_denied("an agent's token opens /agent only"))
            }
            Ok(None) => {
                app.auth.brake.count(self.address, Door::Scaler, now);
                Err(stranger())
            }
            Err(error) => {
                tracing::warn!(%error, "the store cannot say whose token it is");
                Err(Status::unavailable("the store cannot be reached; try again later"))
            }
        }
    }
}

fn header(metadata: &MetadataMap) -> Option<String> {
    let text = metadata.get("authorization")?.to_str().ok()?;
    text.strip_prefix("Bearer ").map(str::to_owned)
}

fn stranger() -> Status {
    Status::unauthenticated(
        "send a viewer's token as `authorization: Bearer …`, or as `token` or `tokenFromEnv` in the trigger's metadata",
    )
}
