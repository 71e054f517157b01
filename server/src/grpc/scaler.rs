use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt, future, stream};
use ops_contract::ServiceName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::WatchStream;
use tonic::{Request, Response, Status};

use super::caller::Caller;
use super::wanted;
use super::wire::external_scaler_server::ExternalScaler;
use super::wire::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, ScaledObjectRef,
};
use crate::App;

/// Most streams over all connections.
const STREAMS: usize = 256;

type Told<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Answers KEDA.
pub(super) struct Scaler {
    app: Arc<App>,
    streams: Arc<Semaphore>,
}

impl Scaler {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, streams: Arc::new(Semaphore::new(STREAMS)) }
    }

    /// The service that is meant, when who asks may know of it.
    async fn service(&self, request: Request<ScaledObjectRef>) -> Result<ServiceName, Status> {
        let caller = Caller::of(&request, &request.get_ref().scaler_metadata);
        caller.admit(&self.app).await?;
        wanted::service(&self.app, &request.get_ref().scaler_metadata)
    }

    fn room(&self) -> Result<OwnedSemaphorePermit, Status> {
        let text = format!("{STREAMS} streams are open already");
        self.streams.clone().try_acquire_owned().map_err(|_| Status::resource_exhausted(text))
    }

    /// A stream that ends with the server and holds its place until then.
    fn told<T: Send + 'static>(
        &self,
        news: impl Stream<Item = T> + Send + 'static,
    ) -> Result<Response<Told<T>>, Status> {
        let place = self.room()?;
        let ended = self.app.shutdown.clone().cancelled_owned();
        let news = news.map(move |it| {
            let _held = &place;
            Ok(it)
        });
        Ok(Response::new(Box::pin(news.take_until(ended))))
    }
}

#[tonic::async_trait]
impl ExternalScaler for Scaler {
    type StreamIsActiveStream = Told<IsActiveResponse>;
    type StreamMetricSpecStream = Told<GetMetricSpecResponse>;

    async fn is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<IsActiveResponse>, Status> {
        let service = self.service(request).await?;
        let signal = wanted::signal(&self.app, &service)?;
        Ok(Response::new(IsActiveResponse { result: signal.desired > 0 }))
    }

    /// Says nothing while nothing is known: KEDA then keeps what it was last told.
    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        let service = self.service(request).await?;
        let (app, mut last) = (self.app.clone(), None);
        let news = WatchStream::new(self.app.scaling.subscribe()).filter_map(move |_| {
            let active = wanted::signal(&app, &service).ok().map(|signal| signal.desired > 0);
            let news = active.filter(|it| last != Some(*it));
            last = active.or(last);
            future::ready(news.map(|result| IsActiveResponse { result }))
        });
        self.told(news)
    }

    /// Never fails for want of data: KEDA makes no HPA, and falls back to nothing, where this does.
    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        let service = self.service(request).await?;
        Ok(Response::new(GetMetricSpecResponse { metric_specs: vec![wanted::spec(&service)] }))
    }

    async fn get_metrics(
        &self,
        request: Request<GetMetricsRequest>,
    ) -> Result<Response<GetMetricsResponse>, Status> {
        let asked = request.get_ref().scaled_object_ref.clone().unwrap_or_default();
        Caller::of(&request, &asked.scaler_metadata).admit(&self.app).await?;
        let service = wanted::service(&self.app, &asked.scaler_metadata)?;
        let signal = wanted::signal(&self.app, &service)?;
        let value = wanted::value(&signal, &request.get_ref().metric_name)?;
        Ok(Response::new(GetMetricsResponse { metric_values: vec![value] }))
    }

    /// Told once: what one replica is worth never changes.
    async fn stream_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        let service = self.service(request).await?;
        let spec = GetMetricSpecResponse { metric_specs: vec![wanted::spec(&service)] };
        self.told(stream::iter([spec]).chain(stream::pending()))
    }
}
