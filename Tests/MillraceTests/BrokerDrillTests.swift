import Foundation
import TestSupport
import Testing

/// The drill that loses brokers, with this program: what it does besides is what is tested here, for a test has no cluster to kill.
private func drill(_ bus: Bus, program: String = Bus.program, _ more: [String]) async throws -> Ended {
    let broker = "MILLRACE_TEST_KAFKA=\(Broker.address ?? "")"
    let arguments = [broker, "python3", "\(Bus.package)/Tools/drill-brokers", "--program", program]
    return try await bus.start(program: "/usr/bin/env", arguments + more).end(within: .seconds(300))
}

@Suite("The drill that loses brokers", .timeLimit(.minutes(10)))
struct BrokerDrillTests {
    @Test(.enabled(if: Broker.address == nil, "there is a broker"))
    func `asks for a cluster and for times that go together`() async throws {
        try await onBus { bus in
            let without = try await drill(bus, ["--lose", "true", "--back", "true"])
            #expect(without.exit == 2 && without.err.contains("set MILLRACE_TEST_KAFKA"), "\(without)")
            let silent = try await drill(bus, ["--lose", "true"])
            #expect(silent.exit == 2 && silent.err.contains("--back"), "\(silent)")
        }
    }
}

extension BrokerTests {
    private static let times = [
        "--minutes", "0.3", "--every", "9", "--away", "2", "--replication", "1", "--lanes", "1",
    ]

    @Test func `the drill that loses brokers tells which, and finds what is lost`() async throws {
        try await onBus { bus in
            let note = "echo $1 >> '\(bus.folder)/lost'"
            let orders = ["--brokers", "a,b", "--lose", note, "--back", note] + Self.times
            // A log that has lost a hit of each, as far as this program shows it.
            let script = """
                #!/bin/sh
                if [ "$1 $2" = "replay hits.events" ]; then "\(Bus.program)" "$@" | sed '$d'; exit; fi
                exec "\(Bus.program)" "$@"
                """
            let (written, losing) = (try bus.file("script", script), bus.folder + "/losing")
            #expect(try await bus.sh("cp '\(written)' '\(losing)' && chmod +x '\(losing)'").exit == 0)
            for (program, isWhole) in [(Bus.program, true), (losing, false)] {
                let ended = try await drill(bus, program: program, orders)
                #expect(ended.exit == (isWhole ? 0 : 1), "\(ended)")
                let words = isWhole ? "2 brokers were lost; nothing was lost or doubled" : "of the hits 1 are lost"
                #expect(ended.out.contains(words), "\(ended)")
            }
            let lost = try String(contentsOfFile: bus.folder + "/lost", encoding: .utf8)
            #expect(lost == String(repeating: "a\na\nb\nb\n", count: 2))
        }
    }
}
