import LikesDomain
import Millrace
import MillraceTestKit
import Testing

@Suite("Likes, simulated")
struct LikesSimulation {
    let traffic = Traffic(.likes)

    @Test func `likes keep their invariants, whatever happens`() throws {
        print("likes: \(try Simulation(traffic).check(schedules: 20, from: 1))")
    }

    @Test func `a like whose commit is not answered counts once`() throws {
        try Simulation(traffic).replay(
            seed: 1,
            steps: [
                .run(60, salt: 1), .fault("likes.handler/1", .unknown), .fault("likes.handler/2", .unknown), .send(0),
                .run(60, salt: 2), .send(0),
            ])
    }
}
