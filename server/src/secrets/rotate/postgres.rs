//! Passwords of PostgreSQL: two users take turns. The one whom nobody uses gets a new password, logs in with it, and then
//! programs are given that user; the other keeps its password until its own turn, so that open connections go on and who
//! is late still gets in. The value is `user:password`, as it stands in an address before the `@`.

use ops_contract::{RotationPhase as Phase, SecretRotation, SecretSpec, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::readers::{self, Readers};
use super::{Fault, Kept, ROTATED, Step, entry, go};
use crate::secrets::stores::StoreError;
use crate::store::postgres_roles::{self, Login};
use crate::{App, clock};

/// Whose turn it can be, and where.
pub(super) struct Turn<'a> {
    pub(super) store: &'a str,
    pub(super) users: &'a [String; 2],
    pub(super) admin_secret: Option<&'a str>,
}

pub(super) async fn step(
    app: &App,
    rotation: &SecretRotation,
    spec: &SecretSpec,
    turn: &Turn<'_>,
) -> Result<Step, Fault> {
    let (name, now) = (&rotation.secret, clock::now());
    let kept = Kept::of(&app.vault, rotation);
    let step = match rotation.phase {
        Phase::Prepare => {
            let user = whose_turn(app, name, spec, turn.users, now).await?;
            kept.make(now).await?;
            let mut step = go(rotation, Phase::Change, "secret.rotation_prepared");
            step.entries = vec![entry(rotation, "secret.rotation_prepared").detail("user", user)];
            step.next.login = Some(user.to_owned());
            step
        }
        Phase::Change => {
            let user = rotation.login.as_deref().unwrap_or_default();
            let password = kept.next().await?;
            change(app, turn, user, &password, now).await?;
            let value = format!("{}:{}", encoded(user), password.expose_secret());
            app.vault.replace(name, &spec.source, &value.into(), now).await?;
            let mut step = go(rotation, Phase::Switch, "secret.rotation_switched");
            step.entries.insert(0, entry(rotation, "secret.password_changed").detail("user", user));
            step
        }
        Phase::Switch => {
            if let Readers::Waits(why) = readers::look(app, rotation).await? {
                return Ok(Step::Wait(why));
            }
            kept.forget().await?;
            let mut step = go(rotation, Phase::Done, ROTATED);
            let user = rotation.login.clone().unwrap_or_default();
            step.entries = vec![entry(rotation, ROTATED).detail("user", user)];
            step
        }
        _ => return Ok(Step::Wait("nothing: this is no phase of its method".to_owned())),
    };
    Ok(step.into())
}

/// The user whom nobody uses now; the first one when the secret has no value yet.
async fn whose_turn<'a>(
    app: &App,
    name: &str,
    spec: &SecretSpec,
    users: &'a [String; 2],
    now: Timestamp,
) -> Result<&'a str, Fault> {
    let [one, other] = users;
    let value = match app.vault.read(name, &spec.source, now).await {
        Ok(it) => it.value,
        Err(StoreError::Missing(_)) => return Ok(one),
        Err(error) => return Err(error.into()),
    };
    let used = value.expose_secret().split_once(':').map(|(user, _)| user);
    match used {
        Some(used) if used == encoded(one) => Ok(other),
        Some(used) if used == encoded(other) => Ok(one),
        _ => Err(Fault::Postgres(format!(
            "the value of {name} is not {one}:PASSWORD or {other}:PASSWORD: put it there with `insightdesk secrets set {name}`"
        ))),
    }
}

/// Gives the user the password, and logs in with it.
async fn change(
    app: &App,
    turn: &Turn<'_>,
    user: &str,
    password: &SecretString,
    now: Timestamp,
) -> Result<(), Fault> {
    let store = app.stack.postgres.get(turn.store);
    let store = store.ok_or_else(|| Fault::Postgres(format!("there is no [postgres.{}]", turn.store)))?;
    let admin = match turn.admin_secret.or(store.password_secret.as_deref()) {
        Some(secret) => Some(own(app, secret, turn.store, now).await?),
        None => None,
    };
    let login = |user, password| Login { address: &store.primary, database: &store.database, user, password };
    let done = postgres_roles::set_password(&login(&store.user, admin.as_ref()), user, password).await;
    done.map_err(Fault::Postgres)?;
    postgres_roles::log_in(&login(user, Some(password))).await.map_err(Fault::Postgres)
}

/// A secret that the server itself uses: recorded as any other read.
async fn own(app: &App, name: &str, store: &str, now: Timestamp) -> Result<SecretString, Fault> {
    let spec = app.vault.spec(name).ok_or_else(|| Fault::Postgres(format!("there is no secret {name}")))?;
    let value = app.vault.read(name, &spec.source, now).await?.value;
    let entry = crate::audit::of_system(crate::secrets::hand::READ, name);
    let entry = entry.why(&format!("to change a password in postgres.{store}"));
    match app.audit.append(vec![entry.draft()]).await {
        Ok(_) => Ok(value),
        Err(error) => Err(Fault::Postgres(error.to_string())),
    }
}

/// A user's name as it stands in an address.
fn encoded(user: &str) -> String {
    user.bytes().fold(String::new(), |mut all, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => all.push(char::from(byte)),
            _ => all.push_str(&format!("%{byte:02X}")),
        }
        all
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_user_s_name_stands_in_an_address() {
        assert_eq!(super::encoded("desk_a"), "desk_a");
        assert_eq!(super::encoded("a:b@c/ä"), "a%3Ab%40c%2F%C3%A4");
    }
}
