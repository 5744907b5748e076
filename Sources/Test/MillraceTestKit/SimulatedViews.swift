internal import EventLog
internal import EventModel
internal import Projecting

/// A view store as one process sees it: each claim and commit is a step, and commits meet the faults dealt to the process.
struct SimulatedViews: WrappedViews {
    let views: any ViewStore
    let process: Process

    init(_ views: any ViewStore, _ process: Process) {
        self.views = views
        self.process = process
    }

    func claim(
        _ tables: any StoredTables, _ partitions: [TopicPartition], owner: String
    ) async throws -> [TopicPartition: Claim] {
        try await process.pause("claims \(brief(partitions))")
        return try await views.claim(tables, partitions, owner: owner)
    }

    func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        try await process.pause("commits rows of \(tables.name)")
        let fault = process.takeFault()
        if fault == .aborted || fault == .unreachable { throw unreachable() }
        do {
            try await views.commit(tables, to: offsets, under: epochs, fold: fold)
        } catch let error as ViewError {
            if error.kind == .fenced { process.scheduler.note("\(process.name) is fenced") }
            throw error
        }
        if fault == .unknown { throw unreachable() }
        try await process.pause("has committed rows")
    }

    private func unreachable() -> ViewError {
        process.isExcused = true
        return ViewError(.failed, "the view store does not answer")
    }

    func builds(of projection: AnyProjection) async throws -> Builds {
        try await process.pause("asks for the builds of \(projection.name)")
        return try await views.builds(of: projection)
    }
    func close() async {}
}
