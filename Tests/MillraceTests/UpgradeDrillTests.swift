import Foundation
import TestSupport
import Testing

/// The drill with this program in both places: what it does on the way is what is tested here.
@Suite("The drill of an upgrade", .serialized, .timeLimit(.minutes(10)))
struct UpgradeDrillTests {
    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/homebrew/bin/python3"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }
    private static let absent: Comment = "python3 is not on this machine"

    private func drill(_ bus: Bus, new: String = Bus.program, _ more: String...) async throws -> Ended {
        let python = try #require(Self.python)
        let arguments = ["\(Bus.package)/Tools/drill-upgrade", "--old", Bus.program, "--new", new, "--seconds", "3"]
        return try await bus.start(program: python, arguments + more).end(within: .seconds(300))
    }

    @Test(.enabled(if: python != nil, absent))
    func `replaces all workers under load and finds nothing lost or doubled`() async throws {
        try await onBus { bus in
            let ended = try await drill(bus, "--same")
            #expect(ended.exit == 0 && ended.out.contains("upgrade: nothing was lost or doubled"), "\(ended)")
            for kind in ["projector", "reactor", "handler"] {
                #expect(ended.out.contains("upgrade: \(kind) 2 is new"), "\(ended)")
            }
            #expect(ended.out.contains("upgrade: verify --decisions: ok"), "\(ended)")
        }
    }

    @Test(.enabled(if: python != nil, absent))
    func `finds what is lost, and tells programs of one schema from an upgrade`() async throws {
        try await onBus { bus in
            // A log that has lost its newest order, as far as this program shows it.
            let script = """
                #!/bin/sh
                if [ "$1 $2" = "replay orders.events" ]; then "\(Bus.program)" "$@" | sed '$d'; exit; fi
                exec "\(Bus.program)" "$@"
                """
            // Copied by a process of its own: what one that starts others has open for writing cannot be run at times (ETXTBSY), for
            // another's start may hold it open for a moment.
            let (written, losing) = (try bus.file("script", script), bus.folder + "/losing")
            #expect(try await bus.sh("cp '\(written)' '\(losing)' && chmod +x '\(losing)'").exit == 0)
            let ended = try await drill(bus, new: losing, "--same")
            #expect(ended.exit == 1 && ended.out.contains("are told of and not there"), "\(ended)")
            let same = try await drill(bus)
            #expect(same.exit == 3 && same.out.contains("no schema change was tried"), "\(same)")
        }
    }
}
