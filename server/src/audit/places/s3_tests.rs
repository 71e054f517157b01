//! Against moto, which stands for AWS.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use ops_tests::moto::Moto;

use super::s3::{S3Error, S3Place};
use crate::clock;
use crate::secrets::stores::aws::test_config;

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

#[tokio::test]
async fn what_is_laid_down_is_neither_replaced_nor_deleted_before_its_time() {
    let mut moto = Moto::start().await.unwrap();
    let config = test_config(&moto.url).await;
    let raw = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build(),
    );
    let here = BucketLocationConstraint::EuCentral1;
    let here = CreateBucketConfiguration::builder().location_constraint(here).build();
    let make = raw.create_bucket().bucket("anchors").create_bucket_configuration(here);
    make.object_lock_enabled_for_bucket(true).send().await.unwrap();

    let place = S3Place::new(&config, "anchors");
    let until = clock::now() + DAY;
    assert_eq!(place.list("audit/").await.unwrap(), []);
    for (key, bytes) in [("audit/2", "second"), ("audit/1", "first"), ("other/1", "other")] {
        place.put(key, bytes.into(), until).await.unwrap();
    }
    let taken = place.put("audit/1", "forged".into(), until).await.unwrap_err();
    assert!(matches!(taken, S3Error::Taken(_)), "{taken}");
    let found = place.list("audit/").await.unwrap();
    assert_eq!(found.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(), ["audit/1", "audit/2"]);
    assert_eq!(place.get(&found[0]).await.unwrap(), b"first");

    let locked = &found[0];
    let delete = raw.delete_object().bucket("anchors").key(&locked.key);
    let refused = delete.clone().version_id(&locked.version).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("AccessDenied"));
    // Without a version it is only hidden; and anybody may lay another version over it.
    raw.put_object().bucket("anchors").key(&locked.key).body(b"forged".to_vec().into()).send().await.unwrap();
    delete.send().await.unwrap();
    let after = place.list("audit/1").await.unwrap();
    assert_eq!(after.first(), Some(locked), "the first that was laid down is found behind what hides it");
    assert_eq!(place.get(locked).await.unwrap(), b"first");

    let mut gone = locked.clone();
    gone.key = "audit/9".to_owned();
    assert!(place.get(&gone).await.is_err());
    let none = S3Place::new(&config, "not-there");
    assert!(matches!(none.list("").await, Err(S3Error::Missing(_))));
    assert!(matches!(none.put("a", Vec::new(), until).await, Err(S3Error::Missing(_))));
    for index in 0..1_050 {
        raw.put_object().bucket("anchors").key(format!("many/{index:04}")).send().await.unwrap();
    }
    assert_eq!(place.list("many/").await.unwrap().len(), 1_050, "more than one page");
    moto.stop();
    assert!(matches!(place.list("").await, Err(S3Error::Unreachable(_))));
}
