#include "server/serve.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <future>
#include <iostream>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"
#include "base/log_throttle.hpp"
#include "base/system_error.hpp"
#include "base/wiped_heap.hpp"
#include "dns/tsig_key_provider.hpp"
#include "http/server.hpp"
#include "platform/sandbox.hpp"
#include "platform/socket_activation.hpp"
#include "platform/startup_code.hpp"
#include "platform/systemd_notifier.hpp"
#include "server/admin.hpp"
#include "server/certificate_watcher.hpp"
#include "server/event_command.hpp"
#include "server/updater.hpp"
#include "server/wiring.hpp"

namespace sftdyn::server {
namespace {

namespace asio = boost::asio;
namespace log = base::log;

// From SIGTERM to the end: requests, event commands and Python code that are under way get that
// together, less what it takes to put things away.
constexpr auto shutdown_time = std::chrono::seconds(5);
constexpr auto tidy_time = std::chrono::milliseconds(500);
// How often counts of what repeated in the log are looked for; they are said a minute after it was
// first said.
constexpr auto summary_interval = std::chrono::seconds(5);

/// Passed sockets stand in place of `http`, those for TLS in place of `https`.
std::vector<http::Endpoint> with_passed(std::vector<http::Endpoint> configured) {
    auto passed = endpoints_of(platform::passed_sockets());
    for (const auto& endpoint : passed) {
        const auto replaced = [&](const http::Endpoint& other) {
            return other.tls == endpoint.tls;
        };
        configured.erase(std::remove_if(configured.begin(), configured.end(), replaced),
                         configured.end());
    }
    passed.insert(passed.end(), configured.begin(), configured.end());
    return passed;
}

/// Whether this machine can open IPv6 sockets at all.
bool has_ipv6(asio::io_context& io) {
    boost::system::error_code error;
    asio::ip::tcp::acceptor probe(io);
    probe.open(asio::ip::tcp::v6(), error);
    if (!error) probe.bind({asio::ip::address_v6::loopback(), 0}, error);
    return !error;
}

void say_keys(const config::Settings& settings) {
    const auto check = [](const config::ZoneSettings& zone) {
        dns::TsigKeyProvider source(config::key_files(zone));
        const auto key = source.current();
        if (key.has_error())
            log::warn("{} (updates fail until it is readable; it is tried again with each)",
                      key.error().text());
    };
    check(settings.dns);
    for (const auto& zone : settings.zones) check(zone);
}

/// The running program.
class Program {
public:
    Program(config::Loaded loaded, const config::Load& load, const EventCommand& runner)
        : load_(load),
          signals_(io_, SIGTERM, SIGINT, SIGHUP),
          endpoints_(with_passed(endpoints(loaded.settings))),
          listens_(listens(loaded.settings)),
          // A conf's code may do whatever it is written for: run programs, write files.
          confinement_{loaded.settings.user, loaded.settings.seccomp && !loaded.python,
                       loaded.settings.landlock && !loaded.python, files(loaded.settings)},
          certificates_(io_, [this](const http::TlsContext& context) { server_.use_tls(context); }),
          threads_(loaded.settings.threads != 0 ? loaded.settings.threads
                                                : std::thread::hardware_concurrency()),
          server_(updater_, http_limits(loaded.settings), proxies(loaded.settings), threads_),
          updater_(io_, engine_limits(loaded.settings)),
          admin_({io_, updater_, server_, certificates_}, loaded.settings, runner) {
        if (!has_ipv6(io_)) {
            for (auto& endpoint : endpoints_) {
                if (!endpoint.dual_stack) continue;
                endpoint.address = asio::ip::address_v4::any();
                endpoint.dual_stack = false;
            }
        }
        if (!loaded.conf.empty()) confinement_.files.push_back(loaded.conf);
        for (const auto& endpoint : endpoints_) {
            if (!endpoint.path.empty()) confinement_.sockets.push_back(endpoint.path);
        }
        for (const auto& endpoint : admin_.endpoints()) {
            if (!endpoint.path.empty()) confinement_.sockets.push_back(endpoint.path);
        }
        if (loaded.settings.admin.control)
            confinement_.sockets.push_back(*loaded.settings.admin.control);
        if (admin_.state_folder()) confinement_.writable.push_back(*admin_.state_folder());
        const bool tls = std::any_of(endpoints_.begin(), endpoints_.end(),
                                     [](const auto& endpoint) { return endpoint.tls; });
        if (!tls) certificates_usable_ = true;
        apply(loaded, make_directory(loaded.settings, updater_.hosts()),
              loaded.settings.client_count(), all_hosts(loaded.settings, updater_.hosts()));
    }

    int run(const std::function<void(const std::vector<std::string>&)>& ready) {
        if (!certificates_usable_) return 1;
        const auto listening = server_.listen(endpoints_);
        if (listening.has_error()) {
            log::critical("{}", listening.error().text());
            return 1;
        }
        if (const auto admin = admin_.listen(); admin.has_error()) {
            log::critical("{}", admin.error().text());
            return 1;
        }
        if (const auto given_up = platform::drop_privileges(confinement_.user);
            given_up.has_error()) {
            log::critical("{}", given_up.error().text());
            return 1;
        }
        admin_.make_state();
        platform::enter_sandbox(confinement_);
        await_signal();
        say_summaries();
        server_.start();
        admin_.start();
        for (const auto& endpoint : admin_.endpoints())
            log::info("metrics on {}", url_of(endpoint));
        std::vector<std::string> addresses;
        for (const auto& endpoint : endpoints_) addresses.push_back(url_of(endpoint));
        platform::release_startup_code();
        ready(addresses);
        service_.ready();
        io_.run();
        return 0;
    }

    /// After `run`: false when Python code does not return. Then the process can only be ended as
    /// it is.
    [[nodiscard]] bool is_over() {
        const auto patience =
            std::max(base::Duration(0), stop_deadline_ - tidy_time / 2 - base::Clock::now());
        if (!updater_.stop_hooks(patience)) return false;
        return !reloader_.joinable() || !python_ ||
               reloader_done_.wait_until(stop_deadline_ - tidy_time / 2) ==
                   std::future_status::ready;
    }

private:
    static std::vector<std::string> listens(const config::Settings& settings) {
        std::vector<std::string> out;
        for (const auto& endpoint : endpoints(settings)) out.push_back(url_of(endpoint));
        return out;
    }

    static std::string url_of(const http::Endpoint& endpoint) {
        if (!endpoint.path.empty()) return http::text_of(endpoint);
        return (endpoint.tls ? "https://" : "http://") + http::text_of(endpoint);
    }

    void apply(const config::Loaded& loaded, const Directory& directory, std::size_t clients,
               std::vector<update::HostId> hosts) {
        const config::Settings& settings = loaded.settings;
        const auto certificates = config::certificates(settings);
        if (!certificates.empty())
            certificates_usable_ = certificates_.use(certificates) || certificates_usable_;
        const bool has_get_host = loaded.python && loaded.python->has_get_host();
        if (clients == 0 && !has_get_host)
            log::warn("there are no clients: every key is a bad key");
        say_keys(settings);
        if (settings.verbosity || settings.debug)
            log::adjust(settings.verbosity.value_or(0), settings.debug);
        updater_.configure(directory, zone_servers(settings), engine_limits(settings),
                           {settings.bad_keys, settings.bad_keys_refill, settings.uptodate,
                            settings.dns.ttl.value_or(settings.ttl), hooks_of(loaded)});
        python_ = loaded.python;
        admin_.configure(clients, std::move(hosts), settings.admin.stale_after, loaded.conf);
    }

    /// Only a conf that defines some.
    static std::shared_ptr<const python::Conf> hooks_of(const config::Loaded& loaded) {
        const auto& conf = loaded.python;
        return conf && (conf->has_get_ip() || conf->has_get_host() || conf->has_nsupdate_commands())
                   ? conf
                   : nullptr;
    }

    void await_signal() {
        signals_.async_wait([this](boost::system::error_code error, int signal) {
            if (error) return;
            if (signal != SIGHUP) return stop(signal);
            reload();
            await_signal();
        });
    }

    /// What repeated in the log is counted, and the counts are said.
    void say_summaries() {
        summary_timer_.expires_after(summary_interval);
        summary_timer_.async_wait([this](boost::system::error_code error) {
            if (error) return;
            base::LogThrottle::summarise_all(base::Clock::now());
            say_summaries();
        });
    }

    /// Loading a large configuration takes seconds, and the engine must not wait for it.
    void reload() {
        if (reloading_) {
            reload_again_ = true;
            return;
        }
        log::info("SIGHUP: loading the configuration anew");
        service_.reloading();
        reloading_ = true;
        if (reloader_.joinable()) reloader_.join();
        std::promise<void> done;
        reloader_done_ = done.get_future();
        reloader_ = std::thread([this, done = std::move(done)]() mutable {
            const base::WipedHeap wiped;  // of all that the configuration's text went through
            auto loaded = std::make_shared<config::Loaded>(load_());
            const std::size_t clients = loaded->settings.client_count();
            Directory directory;
            std::vector<update::HostId> hosts;
            if (loaded->complaints.empty()) {
                directory = make_directory(loaded->settings, updater_.hosts());
                hosts = all_hosts(loaded->settings, updater_.hosts());
            }
            loaded->settings.clients = {};
            loaded->settings.named_clients.clear();
            malloc_trim(0);  // the configuration as text and tree is no longer needed
            asio::post(io_, [this, loaded, directory, clients, hosts = std::move(hosts)]() mutable {
                reloaded(*loaded, directory, clients, std::move(hosts));
            });
            done.set_value();
        });
    }

    void reloaded(const config::Loaded& loaded, const Directory& directory, std::size_t clients,
                  std::vector<update::HostId> hosts) {
        reloading_ = false;
        for (const auto& complaint : loaded.complaints) log::error("{}", complaint.text());
        if (loaded.complaints.empty()) {
            if (listens(loaded.settings) != listens_)
                log::warn("http or https has changed: that takes effect with a restart only");
            apply(loaded, directory, clients, std::move(hosts));
            log::info("the configuration has {} clients", clients);
        } else {
            log::error("the configuration is not taken; the old one goes on");
        }
        if (std::exchange(reload_again_, false)) return reload();
        service_.ready();
    }

    void stop(int signal) {
        log::info("{}: finishing what is under way", signal == SIGTERM ? "SIGTERM" : "SIGINT");
        service_.stopping();
        stop_deadline_ = base::Clock::now() + shutdown_time;
        // The engine must go on meanwhile, so the waiting is done elsewhere.
        stopper_ = std::thread([this] {
            server_.stop(stop_deadline_ - tidy_time);
            admin_.stop(stop_deadline_ - tidy_time);
            asio::post(io_, [this] {
                updater_.finish();
                io_.stop();
            });
        });
    }

    struct Joiner {
        std::thread& thread;
        ~Joiner() {
            if (thread.joinable()) thread.join();
        }
    };

    const config::Load& load_;
    asio::io_context io_{1};
    asio::signal_set signals_;
    platform::SystemdNotifier service_{io_};
    std::vector<http::Endpoint> endpoints_;
    std::vector<std::string> listens_;
    platform::SandboxSettings confinement_;
    CertificateWatcher certificates_;
    bool certificates_usable_ = false;
    unsigned threads_;
    http::Server server_;  // outlives the updater, which owes it responses
    Updater updater_;
    Admin admin_;
    base::TimePoint stop_deadline_{};
    asio::steady_timer summary_timer_{io_};
    bool reloading_ = false;
    bool reload_again_ = false;
    std::shared_ptr<const python::Conf> python_{};  ///< that is in force
    std::thread reloader_;
    std::future<void> reloader_done_;
    std::thread stopper_;
    Joiner reloader_joiner_{reloader_};
    Joiner stopper_joiner_{stopper_};
};

/// As many connections as the system allows: the soft limit is for programs that use select(2).
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log::debug("the limit of open files stays as it is: {}", base::system_error_text(errno));
}

}  // namespace

int serve(const config::Load& load,
          const std::function<void(const std::vector<std::string>&)>& ready) {
    raise_descriptor_limit();
    std::optional<EventCommand> runner;
    auto program = [&]() -> std::unique_ptr<Program> {
        const base::WipedHeap wiped;  // of all that the configuration's text went through
        const auto load_good = [&] {
            const base::WipedHeap below;  // its stack, too
            config::Loaded loaded = load();
            for (const auto& complaint : loaded.complaints) log::critical("{}", complaint.text());
            return loaded;
        };
        auto loaded = std::make_unique<config::Loaded>(load_good());
        if (!loaded->complaints.empty()) return nullptr;
        const auto settings = event_command_settings(loaded->settings);
        // The command's helper is a copy of this process. It is made while no client's key is in
        // memory.
        if (!settings.command.empty()) loaded.reset();
        runner.emplace(settings);
        if (!loaded) loaded = std::make_unique<config::Loaded>(load_good());
        if (!loaded->complaints.empty()) return nullptr;
        return std::make_unique<Program>(std::move(*loaded), load, *runner);
    }();
    if (!program) return 1;
    malloc_trim(0);  // the configuration as text and tree is no longer needed
    const int status = program->run(ready);
    if (!program->is_over()) {
        log::warn("Python code does not return: it is ended with the process");
        std::cout.flush();
        std::_Exit(status);
    }
    return status;
}

}  // namespace sftdyn::server
