use ops_contract::{AwsSpec, EncryptedFileKey, SecretStoresSpec, VaultAuth, VaultSpec};

use crate::reader::At;
use crate::section::Section;
use crate::{Context, web};

#[derive(Clone, Copy)]
enum Key {
    File,
    Keyring,
    Kms,
}

#[derive(Clone, Copy)]
enum Auth {
    Token,
    AppRole,
    Kubernetes,
}

/// `[secret_stores]`: where secrets lie, and how the server gets in.
pub(super) fn read(root: &Section<'_, '_>, context: &Context) -> SecretStoresSpec {
    let Some(section) = root.table("secret_stores", "secret_stores") else {
        return SecretStoresSpec::default();
    };
    SecretStoresSpec {
        encrypted_file: section
            .table("encrypted_file", "secret_stores.encrypted_file")
            .map(|it| encrypted_file(&it, context))
            .unwrap_or_default(),
        vault: section.table("vault", "secret_stores.vault").map(|it| vault(&it, context)),
        aws: section.table("aws", "secret_stores.aws").map(|it| aws(&it)).unwrap_or_default(),
    }
}

fn encrypted_file(section: &Section<'_, '_>, context: &Context) -> EncryptedFileKey {
    let choices = [("file", Key::File), ("keyring", Key::Keyring), ("aws_kms", Key::Kms)];
    let key = section.choice("key", &choices).map_or(Key::File, |at| at.value);
    let (path, id) = (section.string("path"), section.string("id"));
    if let Some(at) = path.as_ref().filter(|_| !matches!(key, Key::File)) {
        section.reader.wrong(at, "path is for a key in a file", "remove it, or write key = \"file\"");
    }
    if let Some(at) = id.as_ref().filter(|_| !matches!(key, Key::Kms)) {
        section.reader.wrong(at, "id is for a key of AWS KMS", "remove it, or write key = \"aws_kms\"");
    }
    match key {
        Key::File => EncryptedFileKey::File { path: path.map(|at| absolute(&at, context)) },
        Key::Keyring => EncryptedFileKey::Keyring,
        Key::Kms => {
            if id.is_none() {
                section.missing("id", "write the key's id, ARN or alias: id = \"alias/insightdesk\"");
            }
            EncryptedFileKey::AwsKms { id: id.map_or_else(String::new, |at| at.value) }
        }
    }
}

fn vault(section: &Section<'_, '_>, context: &Context) -> VaultSpec {
    let address = section.string("address");
    match &address {
        Some(at) => web::check(section, at),
        None => section.missing("address", "write address = \"https://bao.internal:8200\""),
    }
    let choices = [("token", Auth::Token), ("approle", Auth::AppRole), ("kubernetes", Auth::Kubernetes)];
    let auth = section.choice("auth", &choices).map_or(Auth::Token, |at| at.value);
    let own: &[&str] = match auth {
        Auth::Token => &["token_file"],
        Auth::AppRole => &["role_id", "secret_id_file", "auth_mount"],
        Auth::Kubernetes => &["role", "token_file", "auth_mount"],
    };
    for key in ["token_file", "role_id", "secret_id_file", "role", "auth_mount"] {
        if let Some(at) = section.value(key).filter(|_| !own.contains(&key)) {
            section.reader.wrong(&at, format!("{key} means nothing for this auth"), format!("remove {key}"));
        }
    }
    let needed = |key: &str, fix: &str| {
        let at = section.string(key);
        if at.is_none() {
            section.missing(key, fix);
        }
        at
    };
    let file = |key: &str| {
        needed(key, "name a file that only the server's user can read")
            .map_or_else(String::new, |at| absolute(&at, context))
    };
    let mount = |usual: &str| section.string("auth_mount").map_or_else(|| usual.to_owned(), |at| at.value);
    let auth = match auth {
        Auth::Token => VaultAuth::Token { file: file("token_file") },
        Auth::AppRole => VaultAuth::AppRole {
            role_id: needed("role_id", "write the role's id").map_or_else(String::new, |at| at.value),
            secret_id_file: file("secret_id_file"),
            mount: mount("approle"),
        },
        Auth::Kubernetes => VaultAuth::Kubernetes {
            role: needed("role", "write the role's name").map_or_else(String::new, |at| at.value),
            token_file: section.string("token_file").map_or_else(
                || "/var/run/secrets/kubernetes.io/serviceaccount/token".to_owned(),
                |at| absolute(&at, context),
            ),
            mount: mount("kubernetes"),
        },
    };
    VaultSpec {
        address: address.map_or_else(String::new, |at| at.value.trim_end_matches('/').to_owned()),
        namespace: section.string("namespace").map(|at| at.value),
        auth,
    }
}

fn aws(section: &Section<'_, '_>) -> AwsSpec {
    let endpoint = section.string("endpoint_url");
    if let Some(at) = &endpoint {
        web::check(section, at);
    }
    AwsSpec { region: section.string("region").map(|at| at.value), endpoint_url: endpoint.map(|at| at.value) }
}

pub(super) fn absolute(at: &At<String>, context: &Context) -> String {
    context.base_dir.join(&at.value).to_string_lossy().into_owned()
}
