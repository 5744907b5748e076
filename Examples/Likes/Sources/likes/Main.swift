import LikesDomain
import MillraceApp

@main enum Main {
    static func main() async { await Application.main { _ in [.likes] } }
}
