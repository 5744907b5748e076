internal import EventLog
internal import EventModel
internal import Metering
internal import MillraceBus
internal import PrometheusExporter

extension PrometheusRegistry {
    /// What the program and the system say of the process.
    func collectProcess() {
        collect { [MeasuredSample(Measures.info, [Version.number], 1)] + ProcessSamples.now }
    }

    /// How workers do, and how much room the log takes. Without the log nothing is said of workers.
    func collect(of workers: WorkerSampler, on log: any EventLog) {
        collect { log.sizeSamples }
        collect {
            guard let seen = try? await workers.sample() else { return [] }
            return seen.flatMap { seen in
                let labels = [seen.worker.name, seen.worker.kind]
                return [
                    MeasuredSample(Measures.workerLag, labels, Double(seen.health.lag)),
                    MeasuredSample(
                        Measures.workerOldest, labels, Double(seen.health.age?.milliseconds ?? 0) / 1000),
                    MeasuredSample(Measures.workerHealthy, labels, seen.health.problem == nil ? 1 : 0),
                    MeasuredSample(Measures.quarantinedRecords, labels, Double(seen.waiting)),
                    MeasuredSample(Measures.quarantinedKeys, labels, Double(seen.keys)),
                ]
            }
        }
    }
}
