internal import Dispatch
internal import EventLog
internal import EventModel
internal import KVDomain

extension KeyVerification {
    /// Compares what a server of `kv serve` has in memory with the log, at the place of each of its copies.
    ///
    /// - Parameters:
    ///   - address: `HOST:PORT`.
    ///   - token: What says who asks, where the server wants to know.
    ///   - repairing: Whether the server is told to put right what differs.
    /// - Throws: ``UnverifiedServer`` where it cannot be asked.
    package func server(at address: String, token: String?, repairing: Bool) async throws -> [KeyFinding] {
        let topic = domain.eventsTopic
        let count = events.count
        let digests = try await Self.blocking { () throws(ServerQuestion.Trouble) in
            try Self.telling(address) {
                let server = try ServerQuestion(address, token)
                return try (0..<count).map { try Digest(try server.ask("DIGEST", "\($0)"), of: topic) }
            }
        }
        var findings: [KeyFinding] = []
        for (partition, digest) in zip(events, digests) {
            var finding = KeyFinding(.server, partition, to: digest.end)
            finding.unchecked = try await obstacle(partition, of: "kv serve")
            let last = try await log.bounds(of: [partition])[partition]?.upperBound ?? 0
            if digest.end > last {
                finding.unchecked =
                    "the server is at \(digest.end), and \(partition) ends at \(last): it is of another log"
            }
            if finding.unchecked == nil {
                let fresh = try await fold(partition, to: digest.end)
                let sums = try fresh.checksums()
                (finding.keys, finding.root) = (fresh.count, sums.root)
                finding.ranges = digest.leaves.indices.filter { digest.leaves[$0] != sums.leaves[$0] }
            }
            findings.append(finding)
        }
        if repairing {
            for at in findings.indices where !findings[at].ranges.isEmpty {
                let number = findings[at].partition.partition.rawValue
                findings[at].repaired = try await Self.blocking { () throws(ServerQuestion.Trouble) in
                    try Self.telling(address) {
                        guard case .list(let counts) = try ServerQuestion(address, token).ask("VERIFY", "\(number)"),
                            counts.count == 2, case .integer(let keys) = counts[1]
                        else { throw ServerQuestion.Trouble(description: "its answer to VERIFY is none") }
                        return Int(keys)
                    }
                }
            }
        }
        return findings
    }

    /// The sums of a copy, as `DIGEST` gives them.
    private struct Digest: Sendable {
        var end: Offset
        var leaves: [UInt64]

        init(_ answer: ServerQuestion.Answer, of topic: String) throws {
            guard case .list(let parts) = answer, parts.count == 3, case .text(let place) = parts[0],
                let at = place.lastIndex(of: "@"), place.hasPrefix("\(topic)/"),
                let end = Int64(place[place.index(after: at)...]), case .list(let sums) = parts[2],
                sums.count == ChecksumTree.width * ChecksumTree.width
            else { throw ServerQuestion.Trouble(description: "its answer to DIGEST is none of \(topic)") }
            self.end = Offset(end)
            leaves = try sums.map { sum in
                guard case .text(let text) = sum, let number = UInt64(text, radix: 16) else {
                    throw ServerQuestion.Trouble(description: "its answer to DIGEST has a sum that is none")
                }
                return number
            }
        }
    }

    /// Puts the address before what went wrong.
    private static func telling<R>(_ address: String, _ body: () throws -> R) throws(ServerQuestion.Trouble) -> R {
        do {
            return try body()
        } catch {
            let why = (error as? ServerQuestion.Trouble)?.description ?? "\(error)"
            throw ServerQuestion.Trouble(description: why.hasPrefix(address) ? why : "\(address): \(why)")
        }
    }

    private static func blocking<R: Sendable>(
        _ body: @escaping @Sendable () throws(ServerQuestion.Trouble) -> R
    ) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                do throws(ServerQuestion.Trouble) {
                    continuation.resume(returning: try body())
                } catch {
                    continuation.resume(throwing: UnverifiedServer(why: error.description))
                }
            }
        }
    }
}

/// A server could not be asked what it has.
package struct UnverifiedServer: Error, Sendable, CustomStringConvertible {
    package var why: String
    package var description: String { why }
}
