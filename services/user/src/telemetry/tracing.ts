import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

/**
 * Starts tracing. Spans are made in any case, so that logs and errors carry trace IDs; they leave the process only when
 * an OTLP endpoint is set (the exporter reads the OTEL_EXPORTER_OTLP_* variables itself).
 *
 * @returns the function that sends what is left and ends it.
 */
export function startTracing(endpoint: string | undefined): () => Promise<void> {
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ "service.name": "user", "service.namespace": "cloudcommerce" }),
    spanProcessors: endpoint === undefined ? [] : [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return () => provider.shutdown();
}
