use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, Response, StatusCode};
use ops_telemetry::http::RequestLayer;
use ops_telemetry::{Metrics, metrics_response};
use tower::ServiceExt;

fn app(metrics: &Metrics) -> Router {
    let served = metrics.clone();
    Router::new()
        .route("/v1/tickets/{id}", get(async || "ticket"))
        .route("/broken", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/metrics", get(async move || metrics_response(&served)))
        .layer(RequestLayer::new(metrics, "insightdesk"))
}

async fn ask(app: &Router, method: &str, path: &str, headers: &[(&str, &str)]) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("infallible")
}

#[tokio::test]
async fn requests_are_counted_by_route_template() {
    let metrics = Metrics::new();
    let app = app(&metrics);
    for id in 0..5 {
        ask(&app, "GET", &format!("/v1/tickets/{id}"), &[]).await;
    }
    ask(&app, "GET", "/broken", &[]).await;
    let text = metrics.encode().expect("metrics");
    for line in [
        r#"insightdesk_http_requests_total{method="GET",route="/v1/tickets/{id}",status="200"} 5"#,
        r#"insightdesk_http_requests_total{method="GET",route="/broken",status="500"} 1"#,
        r#"insightdesk_http_request_duration_seconds_bucket{le="0.3",method="GET",route="/broken",status="500"} 1"#,
        "insightdesk_http_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
    }
}

#[tokio::test]
async fn rubbish_adds_no_labels() {
    let metrics = Metrics::new();
    let app = app(&metrics);
    let series = |metrics: &Metrics| metrics.encode().expect("metrics").lines().count();
    ask(&app, "GET", "/nowhere", &[]).await;
    ask(&app, "INVENTED", "/nowhere", &[]).await;
    let before = series(&metrics);
    for number in 0..200 {
        ask(&app, "GET", &format!("/rubbish/{number}?{number}"), &[]).await;
        ask(&app, &format!("METHOD{number}"), &format!("/x{number}"), &[]).await;
    }
    assert_eq!(series(&metrics), before);
    let text = metrics.encode().expect("metrics");
    assert!(text.contains(r#"{method="OTHER",route="unmatched",status="404"} 201"#), "{text}");
}

#[tokio::test]
async fn a_request_whose_client_went_away_is_counted() {
    let metrics = Metrics::new();
    let slow = Router::new()
        .route("/slow", get(async || std::future::pending::<()>().await))
        .layer(RequestLayer::new(&metrics, "t"));
    let request = Request::builder().uri("/slow").body(Body::empty()).expect("a request");
    let mut answer = Box::pin(slow.oneshot(request));
    assert!(futures_poll_once(&mut answer).await);
    assert!(metrics.encode().expect("metrics").contains("t_http_requests_in_flight 1"));
    drop(answer);
    let text = metrics.encode().expect("metrics");
    assert!(text.contains("t_http_requests_in_flight 0") && text.contains(r#"status="499"} 1"#), "{text}");
}

/// Polls once; true when the future is not done.
async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(context).is_pending())
    })
    .await
}

#[tokio::test]
async fn the_request_id_is_the_caller_s_where_it_is_harmless() {
    let app = app(&Metrics::new());
    let id = async |given: &str| {
        let answer = ask(&app, "GET", "/v1/tickets/1", &[("x-request-id", given)]).await;
        answer.headers()["x-request-id"].to_str().expect("ascii").to_owned()
    };
    assert_eq!(id("abc-123").await, "abc-123");
    assert_eq!(id("a b<script>").await.len(), 36);
    assert_eq!(id(&"x".repeat(65)).await.len(), 36);
}

#[tokio::test]
async fn the_metrics_route_speaks_openmetrics() {
    let answer = ask(&app(&Metrics::new()), "GET", "/metrics", &[]).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let kind = answer.headers()["content-type"].to_str().expect("ascii");
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
}
