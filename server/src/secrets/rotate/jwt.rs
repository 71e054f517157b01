//! Keys of tokens. No valid token is refused at any moment: all programs verify with the new key before one signs with it
//! (`spread`), and with the key before until its grace is over (`overlap`). Between the phases all are restarted, one
//! replica after the other, and each must have read anew.

use ops_contract::{RotationMethod, RotationPhase as Phase, SecretRotation, SecretSource, SecretSpec};
use secrecy::SecretString;

use super::readers::{self, Readers};
use super::{Fault, Kept, ROTATED, Step, entry, go};
use crate::secrets::stores::{StoreError, Value};
use crate::{App, clock};

pub(super) async fn step(app: &App, rotation: &SecretRotation, spec: &SecretSpec) -> Result<Step, Fault> {
    let (name, now) = (&rotation.secret, clock::now());
    let kept = Kept::of(&app.vault, rotation);
    let all_have_read = match rotation.phase {
        Phase::Spread | Phase::Switch | Phase::Drop => readers::look(app, rotation).await?,
        _ => Readers::All,
    };
    if let Readers::Waits(why) = all_have_read {
        return Ok(Step::Wait(why));
    }
    let step = match rotation.phase {
        Phase::Prepare => {
            let before = app.vault.read(name, &spec.source, now).await?.value;
            kept.keep_before(&before, now).await?;
            kept.make(now).await?;
            go(rotation, Phase::Spread, "secret.rotation_prepared")
        }
        Phase::Spread => {
            app.vault.replace(name, &spec.source, &kept.next().await?, now).await?;
            go(rotation, Phase::Switch, "secret.rotation_switched")
        }
        Phase::Switch => {
            let mut step = go(rotation, Phase::Overlap, ROTATED);
            let until = step.next.phase_at + spec.grace;
            step.next.until = Some(until);
            step
        }
        Phase::Overlap => {
            if let Some(until) = rotation.until.filter(|until| *until > now) {
                let hours = until.since(now).as_secs() / 3_600;
                return Ok(Step::Wait(format!("the end of the grace, in {hours} h")));
            }
            kept.forget_before().await?;
            if matches!(spec.source, SecretSource::Generated | SecretSource::EncryptedFile) {
                app.vault.file().await?.forget_previous(name).await?;
            }
            go(rotation, Phase::Drop, "secret.previous_dropped")
        }
        Phase::Drop => {
            kept.forget().await?;
            let mut step = go(rotation, Phase::Done, "secret.rotation_ended");
            step.entries = vec![entry(rotation, "secret.rotation_ended")];
            step
        }
        Phase::Change | Phase::Waiting | Phase::Done | Phase::Aborted => {
            return Ok(Step::Wait("nothing: this is no phase of its method".to_owned()));
        }
    };
    Ok(step.into())
}

/// What a program is started with during a renewal: the key that signs, and the one that is good too with its name.
/// By the journal and not by what the store has: while one phase lasts, all who start get the same.
pub(crate) async fn hand(
    app: &App,
    rotation: &SecretRotation,
    spec: &SecretSpec,
    current: Value,
) -> Result<(Value, Option<(String, SecretString)>), StoreError> {
    let RotationMethod::Jwt { previous } = &spec.rotation else { return Ok((current, None)) };
    let kept = Kept::of(&app.vault, rotation);
    let with = |value: SecretString| Value { value, facts: current.facts.clone() };
    Ok(match rotation.phase {
        Phase::Spread => (with(kept.before().await?), Some((previous.clone(), kept.next().await?))),
        Phase::Switch => (with(kept.next().await?), Some((previous.clone(), kept.before().await?))),
        Phase::Overlap => (current, Some((previous.clone(), kept.before().await?))),
        _ => (current, None),
    })
}
