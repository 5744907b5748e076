package import EventLog
package import EventModel
package import Handling
internal import JSONText

/// A session as the event has it that opened it.
package struct OpenedSession: Sendable, Hashable {
    /// How long the log may take to give back what it has just taken.
    private static let patience = Duration.seconds(5)

    package var session: String
    package var expires: Timestamp

    /// Reads it at the place that an outcome tells.
    ///
    /// - Returns: nil where the outcome tells of none.
    package static func read(_ outcome: Outcome, of domain: Domain, on log: any EventLog) async throws -> OpenedSession?
    {
        guard let schema = domain.decider?.events, let written = outcome.events.last else { return nil }
        let reader = try await log.reader(from: [written.place: written.offset])
        let batches: [Batch]
        do {
            batches = try await reader.next(max: 1, wait: patience)
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
        guard let record = batches.flatMap(\.records).first(where: { $0.offset == written.offset }) else { return nil }
        let json = try JSONValue(Array(schema.decode(record.value).json.utf8)[...])
        guard let session = json?["session"]?.plain,
            let expires = json?["expiresAt"]?.plain.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        return OpenedSession(session: session, expires: expires)
    }
}
