import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp

@Suite("A new domain's files", .timeLimit(.minutes(10)))
struct NewDomainTests {
    @Test func `those of likes are the example's own, to the byte`() async throws {
        try await onBus { bus in
            let folder = bus.folder + "/likes"
            let ended = try await bus.plain(["new", "likes", "--folder", folder, "--millrace", "../.."])
            #expect(ended.exit == 0 && ended.err.contains("swift test"), "\(ended)")
            let written = ended.out.split(separator: "\n").map(String.init)
            #expect(written.count == ExampleFiles.all.count)
            for (path, _) in ExampleFiles.all {
                let example = try String(contentsOfFile: "\(Bus.package)/Examples/Likes/\(path)", encoding: .utf8)
                #expect(try String(contentsOfFile: "\(folder)/\(path)", encoding: .utf8) == example, "\(path)")
            }
            // What is there stays.
            let again = try await bus.plain(["new", "likes", "--folder", folder])
            #expect(again.exit == 73 && again.err.contains("is there already; nothing was written"), "\(again)")
        }
    }

    @Test func `those of another name have it wherever code has the example's`() throws {
        let template = try DomainTemplate("ratings")
        for files in [template.filesOfPackage(millrace: "/src/millrace"), template.filesOfOwnPackage] {
            for file in files where !file.path.hasSuffix(".descriptor.swift") {
                #expect(!file.path.lowercased().contains("likes"), "\(file.path)")
                let code = file.text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
                for line in code {
                    // Sentences still speak of the example.
                    let line = line.replacing(#/[ "`][Ll]ikes [a-z]/#, with: "")
                    #expect(!line.contains("Likes") && !line.contains("likes"), "\(file.path): \(line)")
                }
            }
            let text = try #require(files.first { $0.path.hasSuffix("ratings.descriptor.swift") }?.text)
            #expect(text.contains("let ratingsDescriptor ="))
            let base64 = text.split(separator: "\"\"\"")[1].filter { !$0.isWhitespace && $0 != "\\" }
            // The whole domain follows from it, help texts too.
            let domain = Domain("ratings", "Ratings.", descriptor: String(base64))
            #expect(domain.name == "ratings")
            #expect(throws: Never.self) { _ = Descriptor(base64: String(base64)) }
        }
        let package = template.filesOfPackage(millrace: "/src/millrace").map(\.path)
        #expect(
            package.contains("Sources/RatingsDomain/ratings.proto") && package.contains("Sources/ratings/Main.swift"))
        let own = template.filesOfOwnPackage
        #expect(own.contains { $0.path == "Sources/Domains/Ratings/domain.swift" })
        #expect(!own.contains { $0.text.contains("public ") && !$0.path.hasSuffix("domain.swift") })
    }

    @Test(arguments: [
        "Likes", "1st", "", "a-b", "a b", "millrace", "hits", "é", String(repeating: "a", count: 31),
        // What is written would not build.
        "class", "self", "import", "embedded",
    ])
    func `a name that cannot be one is refused, and nothing is written`(_ name: String) async throws {
        try await onBus { bus in
            let ended = try await bus.plain(["new", name, "--folder", bus.folder + "/new"])
            #expect(ended.exit == 64, "\(ended)")
            #expect(!FileManager.default.fileExists(atPath: bus.folder + "/new"))
        }
    }
}
