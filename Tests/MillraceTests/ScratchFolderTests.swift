import Foundation
import Testing

@testable import MillraceBus

@Suite("Folders for temporary files")
struct ScratchFolderTests {
    @Test func `a folder that a killed process left goes with the next, and one that is in use stays`() async throws {
        let files = FileManager.default
        // As a process that was killed leaves it: nobody holds it.
        let left = "\(NSTemporaryDirectory())millrace-scratch-\(UUID().uuidString)"
        try files.createDirectory(atPath: "\(left)/start", withIntermediateDirectories: true)
        try Data("a view".utf8).write(to: URL(fileURLWithPath: "\(left)/start/hits.windows@1.sqlite"))
        var (outer, inner) = ("", "")
        try await withScratchFolder { folder in
            outer = folder
            try await withScratchFolder { inner = $0 }
            #expect(files.fileExists(atPath: outer))
        }
        #expect(![left, outer, inner].contains { files.fileExists(atPath: $0) })
        #expect(outer != inner && !outer.isEmpty)
    }
}
