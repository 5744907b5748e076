import Foundation
import TestSupport
import Testing

/// Whether workers keep up, as a container or a service asks it.
@Suite("Health", .timeLimit(.minutes(10)))
struct HealthTests {
    @Test func `is by how far workers are behind, or by how long`() async throws {
        try await onBus { bus in
            // A log that was named by mistake is not taken for one whose workers keep up.
            let none = try await bus.run("health")
            #expect(none.exit == 66 && none.err.contains("there is no log in"), "\(none)")
            // Nothing is on the log: nobody is behind.
            #expect(try await bus.run("topics", "apply").exit == 0)
            #expect(try await bus.run("health").exit == 0)
            for n in 1...3 { try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v\#(n)"}"#) }
            // A worker that has begun on a burst is behind, and well.
            #expect(try await bus.run("health", "hits.windows", "--max-age", "1h").exit == 0)
            let behind = try await bus.run("health", "hits.windows", "--max-lag", "2")
            #expect(behind.exit == 69)
            #expect(behind.err.contains("hits.windows is behind by 3 records, more than 2"), "\(behind)")
            #expect(behind.out.contains(#"{"worker":"hits.windows","lag":3,"age":"#), "\(behind)")
            #expect(try await bus.run("health", "hits.windows", "--max-lag", "3").exit == 0)
            let old = try await bus.run("health", "projector", "--max-age", "0s")
            #expect(old.exit == 69 && old.err.contains("hits.windows has not handled a record that is"), "\(old)")
            // Others are not asked of.
            #expect(try await bus.run("health", "handler", "--max-lag", "0").exit == 0)

            let worker = try await bus.work("hits.windows")
            try await eventually("the hits: \(worker.err)") {
                try await bus.run("health", "hits.windows", "--max-lag", "0").exit == 0 ? true : nil
            }
            let well = try await bus.run("health", "hits.windows", "--max-lag", "0", "--max-age", "0s")
            #expect(well.exit == 0 && well.out.contains(#""lag":0,"age":null,"problem":null"#), "\(well)")
            worker.send(SIGTERM)
            try await worker.end()
        }
    }

    @Test func `a record is as old as it says`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v","@time":"2020-01-01T00:00:00Z"}"#)
            let old = try await bus.run("health", "hits.windows")
            #expect(old.exit == 69 && old.err.contains("over 1m"), "\(old)")
            #expect(try await bus.run("health", "hits.windows", "--max-lag", "1").exit == 0)
        }
    }

    @Test func `what cannot be is refused`() async throws {
        try await onBus { bus in
            for (arguments, words) in [
                (["hits.window"], "hits.windows"), (["--max-age", "soon"], "--max-age soon is no time"),
                (["--max-lag", "-1"], "max-lag"),
            ] {
                let ended = try await bus.start(["health"] + arguments).end()
                #expect(ended.exit == 64 && ended.err.contains(words), "\(ended)")
            }
        }
    }
}
