import Millrace
import MillraceTestKit
import Testing

@testable import LikesDomain

@Suite("Likes, decided")
struct LikesSpecification {
    let likes = DeciderSpecification(Likes.self)
    let command = LikesCommand.Kind.likeThing(.with { ($0.thing, $0.person) = ("tea", "ann") })
    let event = LikesEvent.Kind.thingLiked(.with { ($0.thing, $0.person) = ("tea", "ann") })

    @Test func `a person likes a thing`() throws { try likes.when(command).then(event) }

    @Test func `who likes it already is refused`() throws {
        try likes.given(event).when(command).then(refused: .likedAlready(thing: "tea"))
    }

    @Test func `what somebody else likes does not matter`() throws {
        let other = LikesEvent.Kind.thingLiked(.with { ($0.thing, $0.person) = ("tea", "ben") })
        try likes.given(other).when(command).then(event)
    }

    @Test func `a thing without a name is malformed`() throws {
        try likes.when(.likeThing(.with { $0.person = "ann" })).then(malformed: "thing")
    }

    @Test func `a specification that is wrong says what came instead`() throws {
        #expect(throws: SpecificationFailure.self) { try likes.when(command).then() }
        #expect(throws: SpecificationFailure.self) { try likes.given(event).when(command).then(event) }
        #expect(throws: SpecificationFailure.self) { try likes.given(event, event).when(command).then() }
    }
}
