// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands/demo_dns.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/rand.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/base64.hpp"
#include "base/descriptor.hpp"
#include "base/system_error.hpp"
#include "dns/tsig_key_provider.hpp"

namespace sftdyn::commands {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr auto start_time = std::chrono::seconds(15);
constexpr auto poll_interval = std::chrono::milliseconds(20);

base::Secret fresh_secret() {
    std::array<unsigned char, 32> octets{};
    if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1)
        throw std::runtime_error("the system's random generator failed");
    return base::Secret(base::base64_encoded(octets));
}

/// Finds a port of 127.0.0.1 that is free for UDP and TCP. knotd would start even if it could not
/// bind its port.
base::Result<std::uint16_t> free_port(std::uint16_t wanted) {
    asio::io_context io;
    error_code error;
    for (int tries = 0; tries < 50; ++tries) {
        asio::ip::udp::socket udp(io);
        udp.open(asio::ip::udp::v4(), error);
        if (!error) udp.bind({asio::ip::address_v4::loopback(), wanted}, error);
        if (error) break;
        const std::uint16_t port = udp.local_endpoint().port();
        asio::ip::tcp::acceptor tcp(io);
        tcp.open(asio::ip::tcp::v4(), error);
        if (!error) tcp.set_option(asio::ip::tcp::acceptor::reuse_address(true), error);
        if (!error) tcp.bind({asio::ip::address_v4::loopback(), port}, error);
        if (!error) tcp.listen(1, error);
        if (!error) return port;
        if (wanted != 0) break;
    }
    return base::Error{
        fmt::format("the demo's DNS server can't have port {}: {}", wanted, error.message()), "",
        "choose another with --dns-port, or 0 for any free one"};
}

base::Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
    const base::Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file)
        return base::Error{fmt::format("can't write: {}", base::system_error_text(errno)),
                           path.string(), "is the disk full?"};
    const ssize_t written = write(file.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size()))
        return base::Error{"can't write all of it", path.string(), "is the disk full?"};
    return {};
}

}  // namespace

base::Result<void> DemoDns::write_files(const std::string& zone) {
    const base::Secret secret = fresh_secret();
    const std::string folder = folder_.string();
    if (auto result = write_file(
            folder_ / "sftdyn.key",
            fmt::format(
                "key \"sftdyn-demo\" {{\n    algorithm hmac-sha256;\n    secret \"{}\";\n}};\n",
                secret.reveal()));
        result.has_error())
        return result;
    if (auto result = write_file(folder_ / "zone",
                                 fmt::format("$ORIGIN {}.\n$TTL 60\n@ SOA ns hostmaster 1 3600 900 "
                                             "604800 60\n@ NS ns\nns A 127.0.0.1\n",
                                             zone));
        result.has_error())
        return result;
    return write_file(folder_ / "knot.conf",
                      fmt::format(R"(server:
    rundir: "{0}"
    listen: 127.0.0.1@{1}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: "{0}"
    journal-db-max-size: 16M
    kasp-db-max-size: 16M
    timer-db-max-size: 1M
    catalog-db-max-size: 16M
key:
  - id: sftdyn-demo
    algorithm: hmac-sha256
    secret: "{2}"
acl:
  - id: sftdyn
    key: sftdyn-demo
    action: [query, update]
zone:
  - domain: {3}
    storage: "{0}"
    file: zone
    journal-content: none
    zonefile-sync: -1
    zonefile-load: whole
    acl: sftdyn
)",
                                  folder, address_.port, secret.reveal(), zone));
}

base::Result<void> DemoDns::spawn() {
    const std::string config = (folder_ / "knot.conf").string();
    const std::string output = (folder_ / "output").string();
    // All memory is allocated before fork(): the child must not allocate.
    const std::string path =
        std::string(getenv("PATH") != nullptr ? getenv("PATH") : "") + ":/usr/sbin:/usr/local/sbin";
    std::string program;
    std::istringstream folders(path);
    for (std::string folder; program.empty() && std::getline(folders, folder, ':');) {
        const std::string candidate = folder + "/knotd";
        if (!folder.empty() && access(candidate.c_str(), X_OK) == 0) program = candidate;
    }
    if (program.empty())
        return base::Error{"knotd is not installed", "",
                           "install it (apt-get install knot): the demo's DNS server is Knot DNS"};

    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ < 0)
        return base::Error{fmt::format("can't start knotd: {}", base::system_error_text(errno)), "",
                           "is the machine out of memory or processes?"};
    if (pid_ > 0) return {};
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // knotd ends when sftdyn ends in any way
    if (getppid() != parent) _exit(127);
    setpgid(0, 0);  // Ctrl-C does not reach knotd; sftdyn ends it
    const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
    execl(program.c_str(), "knotd", "-c", config.c_str(), static_cast<char*>(nullptr));
    _exit(127);
}

base::Result<void> DemoDns::exited() const {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == 0) return {};
    std::ifstream output(folder_ / "output");
    std::stringstream said;
    said << output.rdbuf();
    return base::Error{"knotd ended at once: " + said.str(), "", "is it Knot DNS 3.2 or later?"};
}

base::Result<void> DemoDns::await_answer(const std::string& zone) {
    asio::io_context io;
    const auto server = std::make_shared<dns::ServerClient>(
        io, address_, std::make_shared<dns::TsigKeyProvider>(std::vector{key_file()}),
        dns::ServerOptions{}, base::system_time(io));
    const auto name = dns::Name::parse(zone).value();
    const auto deadline = base::Clock::now() + start_time;
    asio::steady_timer pause(io);
    while (base::Clock::now() < deadline) {
        if (auto alive = exited(); alive.has_error()) return alive;
        bool answered = false;
        server->query(name, dns::Type::soa, base::Clock::now() + std::chrono::milliseconds(500),
                      [&](const dns::Reply& reply) {
                          answered = reply.has_value() && reply->rcode == 0;
                          pause.expires_after(poll_interval);
                          pause.async_wait([&](error_code) { io.stop(); });
                      });
        io.restart();
        io.run();
        if (answered) return {};
    }
    return base::Error{"knotd does not answer", text_of(address_),
                       "look at its output, and try another --dns-port"};
}

base::Result<DemoDns> DemoDns::start(const std::string& zone, std::uint16_t port) {
    const auto free = free_port(port);
    if (free.has_error()) return free.error();
    DemoDns demo;
    demo.address_ = {asio::ip::address_v4::loopback(), *free};
    std::string pattern = (std::filesystem::temp_directory_path() / "sftdyn-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
        return base::Error{
            fmt::format("can't make a temporary folder: {}", base::system_error_text(errno)),
            pattern, "is the disk full?"};
    demo.folder_ = pattern;
    if (auto written = demo.write_files(zone); written.has_error()) return written.error();
    if (auto spawned = demo.spawn(); spawned.has_error()) return spawned.error();
    if (auto answered = demo.await_answer(zone); answered.has_error()) return answered.error();
    return demo;
}

DemoDns::DemoDns(DemoDns&& other) noexcept
    : folder_(std::exchange(other.folder_, {})),
      address_(std::move(other.address_)),
      pid_(std::exchange(other.pid_, -1)) {}

DemoDns::~DemoDns() {
    if (pid_ > 0) {
        kill(pid_, SIGTERM);
        waitpid(pid_, nullptr, 0);
    }
    if (folder_.empty()) return;
    std::error_code ignored;  // a folder that remains in /tmp is harmless
    std::filesystem::remove_all(folder_, ignored);
}

}  // namespace sftdyn::commands
