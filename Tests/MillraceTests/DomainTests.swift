import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import millrace

/// Adding a domain is its folder, ``Likes``, and its name in the list of all.
@Suite("A new domain", .timeLimit(.minutes(2)))
struct DomainTests {
    @Test func `of one folder and one line has commands, topics, workers, queries and help`() async throws {
        try await onBus { bus in
            try await Millrace.$domains.withValue(Domains.all + [.likes]) {
                for help in [
                    ["send", "LikeThing", "--help"], ["produce", "ThingLiked", "--help"],
                    ["query", "likes.count", "--help"],
                ] {
                    let text = try await millrace(help).out
                    #expect(text.contains("thing"), "\(help)")
                }
                #expect(try await millrace(["send", "LikeThing", "--help"]).out.contains("The thing that is liked."))
                #expect(
                    try await millrace(["events", "likes"]).out.contains(
                        #""name":"LikeThing","topic":"likes.commands""#))
                #expect(try await millrace(["views"]).out.contains(#""projection":"likes.counts""#))
                #expect(try await millrace(["work", "--list"]).out.contains("likes.handler"))
                let places = ["--log", "local:" + bus.log]
                let topics = try await millrace(["topics", "list"] + places).out
                for topic in ["likes.commands", "likes.events", "likes.outcomes"] { #expect(topics.contains(topic)) }

                let worker = Task { try await millrace(["work", "likes"] + places) }
                let like = ["send", "LikeThing", "--thing", "tea", "--person", "ann", "--timeout", "40s"] + places
                let first = try await millrace(like)
                #expect(first.exit == 0)
                let place = try JSON(first.out)["events"][0]
                #expect(place["topic"] == "likes.events" && place["type"] == "ThingLiked")
                let second = try await millrace(like)
                #expect(second.exit == 1)
                #expect(try JSON(second.out)["reason"] == "liked-already")
                let count = try await millrace(
                    ["query", "likes.count", "--thing", "tea", "--timeout", "40s", "--after"]
                        + ["likes.events/\(place["partition"].int)@\(place["offset"].int)"] + places)
                #expect(try JSON(count.out)["rows"] == [.object(["thing": "tea", "likes": 1])])
                #expect(try await millrace(["lag", "--sum"] + places).out.contains(#""worker":"likes.counts""#))
                #expect(
                    try await millrace(["replay", "likes.events"] + places).out.contains(
                        #"{"thing":"tea","person":"ann"}"#))
                worker.cancel()
                #expect(try await worker.value.exit == 75)
            }
            // Elsewhere nobody has heard of it.
            #expect(await Millrace.run(["send", "LikeThing", "--thing", "tea", "--log", "local:" + bus.log]) == 64)
        }
    }

    /// Runs a command line in this process.
    private func millrace(_ arguments: [String]) async throws -> (exit: Int32, out: String) {
        let output = Output(gathering: true)
        let exit = await Output.$standard.withValue(output) { await Millrace.run(arguments) }
        return (exit, output.text)
    }
}
