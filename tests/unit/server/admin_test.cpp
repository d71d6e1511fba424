// SPDX-License-Identifier: GPL-3.0-or-later
// All that administrators are served with, on sockets of the test's own.
#include "server/admin.hpp"

#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <ctime>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/json.hpp>

#include "base/descriptor.hpp"
#include "base/sanitized.hpp"
#include "child_process.hpp"
#include "server/request_test.hpp"
#include "server/wiring.hpp"
#include "temporary_folder.hpp"
#include "without_threads.hpp"

namespace sftdyn::server {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class AdminTest : public RequestTest {
protected:
    AdminTest() {
        settings_.admin.stale_after = 0s;
        settings_.admin.event_command_time = 1h;
        settings_.landlock = settings_.seccomp = false;
    }
    ~AdminTest() override { end(); }

    void make(telemetry::RequestLog& log) {
        runner.emplace(event_command());
        admin.emplace(Admin::Parts{io, hosts, log, watch, updates, servers, server, certificates},
                      settings_, *runner);
    }
    void make() { make(request_log); }
    EventCommandSettings event_command() const {
        return {settings_.admin.event_command, 4, 1h, std::nullopt, false, false};
    }
    /// Serves, with the event loop on a thread of its own.
    void serve() {
        const auto listening = admin->listen();
        ASSERT_TRUE(listening.has_value()) << listening.error().text();
        admin->start();
        io.restart();
        thread = std::thread([this, work = boost::asio::make_work_guard(io)] { io.run(); });
    }
    /// As the program ends it.
    void end() {
        if (!admin) return;
        if (thread.joinable()) {
            admin->stop(base::Clock::now() + 1h);
            io.stop();
            thread.join();
        }
        admin.reset();
        runner.reset();
    }

    /// What somebody listens on `path` says to `octets`.
    static std::string ask(const std::string& path, std::string_view octets) {
        const base::Descriptor client(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const boost::asio::local::stream_protocol::endpoint to(path);
        EXPECT_EQ(::connect(client.get(), to.data(), static_cast<socklen_t>(to.size())), 0);
        send(client.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
        if (octets.empty()) shutdown(client.get(), SHUT_WR);
        std::string all;
        std::array<char, 65536> came{};
        for (ssize_t size = 1; size > 0;) {
            size = recv(client.get(), came.data(), came.size(), 0);
            if (size > 0) all.append(came.data(), static_cast<std::size_t>(size));
        }
        return all;
    }
    /// Whoever checks in is a host.
    void configure(std::size_t clients, base::Duration stale_after,
                   std::vector<update::HostId> all = {}, const char* conf = "conf") {
        admin->configure({.count = clients,
                          .hosts = {.all = std::move(all)},
                          .are_all_known = false,
                          .stale_after = stale_after,
                          .conf = conf});
    }
    std::string get(const std::string& target) const {
        return ask(folder / "metrics", "GET " + target + " HTTP/1.0\r\n\r\n");
    }
    boost::json::object status() const {
        return boost::json::parse(ask(folder / "control", "")).as_object();
    }

    void with_pages() { settings_.admin.metrics = {{.path = folder / "metrics"}}; }
    void with_control() { settings_.admin.control = folder / "control"; }
    void with_hook() {
        settings_.admin.event_command = {"/bin/sh", "-c",
                                         "echo $SFTDYN_EVENT $SFTDYN_HOST $SFTDYN_TYPE "
                                         "$SFTDYN_ADDRESS $SFTDYN_OLD_ADDRESS >> " +
                                             (folder / "told")};
    }
    /// A host checks in, some seconds ago.
    void check_in(telemetry::RequestLog& log, const char* of, const char* address,
                  std::int64_t ago = 0) {
        log.history().note({host(of), dns::type_of(make_address(address))}, make_address(address),
                           telemetry::RequestOutcome::ok, std::time(nullptr) - ago);
    }
    void note(telemetry::RequestLog& log) {
        log.served({telemetry::DialectLabel::secret_url, make_address("192.0.2.1"), now},
                   {{host("a.example.org"), dns::Type::a},
                    make_address("192.0.2.1"),
                    update::UpdateStatus::committed});
    }

    TemporaryFolder folder;
    config::Settings settings_;
    struct Nobody : http::Handler {
        std::optional<http::Response> handle(const http::Request&,
                                             const std::function<http::Later()>&) override {
            return http::Response{};
        }
    } nobody;
    AddressWatch watch;
    update::DnsBackend servers{io};
    http::Server server{nobody, http_limits(settings_), {}, 1};
    CertificateWatcher certificates{io, [](const auto&) {}};
    std::optional<EventCommand> runner;
    std::optional<Admin> admin;
    std::thread thread;
};

TEST_F(AdminTest, HostsAreRememberedWhereSomebodyAsksForThem) {
    make();
    note(request_log);
    EXPECT_THAT(request_log.history().all(), IsEmpty());
    const std::vector<std::function<void()>> reasons{
        [this] { with_pages(); }, [this] { with_control(); }, [this] { with_hook(); },
        [this] { settings_.admin.state = folder.path(); }};
    const config::AdminSettings plain = settings_.admin;
    for (const auto& reason : reasons) {
        end();
        settings_.admin = plain;
        reason();
        telemetry::RequestLog log(hosts);
        make(log);
        note(log);
        EXPECT_EQ(log.history().all().size(), 1U);
        end();
        log.history().tell_stale(std::time(nullptr) + 1000);
        log.served({telemetry::DialectLabel::secret_url, make_address("192.0.2.1"), now},
                   {{host("b.example.org"), dns::Type::a},
                    make_address("192.0.2.1"),
                    update::UpdateStatus::committed});
        EXPECT_EQ(log.history().all().size(), 1U) << "not after its end";
    }
}

TEST_F(AdminTest, WithoutSettingsNothingIsListenedOn) {
    make();
    EXPECT_THAT(admin->endpoints(), IsEmpty());
    serve();
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST_F(AdminTest, ThePagesTellWhatIsSoNow) {
    with_pages();
    make();
    configure(12, 500s);
    serve();
    EXPECT_EQ(get("/healthz").substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_EQ(get("/readyz").substr(0, 15), "HTTP/1.1 200 OK");
    check_in(request_log, "a.example.org", "192.0.2.1", 1000);
    check_in(request_log, "a.example.org", "2001:db8::1", 1000);
    const std::string metrics = get("/metrics");
    EXPECT_THAT(metrics, HasSubstr("\nsftdyn_clients 12\n"));
    EXPECT_THAT(metrics, HasSubstr("\nsftdyn_stale_hosts 1\n"));
    EXPECT_THAT(metrics, Not(HasSubstr("sftdyn_event_commands"))) << "there is no event command";
}

TEST_F(AdminTest, AnEngineThatDoesNotAnswerIsNotAlive) {
    with_pages();
    make();
    serve();
    std::promise<void> over;
    boost::asio::post(io, [end = over.get_future().share()] { end.wait(); });
    EXPECT_THAT(get("/healthz"), testing::StartsWith("HTTP/1.1 503 "));
    over.set_value();
    EXPECT_THAT(get("/healthz"), testing::StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminTest, AServerThatDoesNotAnswerMakesItNotReady) {
    with_pages();
    with_control();
    servers.configure({{std::nullopt, {{make_address("127.0.0.1"), 1}}, {"/no/such/key"}, false},
                       {dns::Name::parse("a.example").value(),
                        {{make_address("127.0.0.2"), 1}},
                        {"/no/such/key"},
                        false}});
    make();
    serve();
    EXPECT_THAT(get("/readyz"), testing::StartsWith("HTTP/1.1 503 "));
    const auto document = status();
    const auto& list = document.at("servers").as_array();
    ASSERT_EQ(list.size(), 2U);
    for (const auto& each : list) {
        EXPECT_FALSE(each.at("good").as_bool());
        EXPECT_THAT(std::string(each.at("state").as_string()), HasSubstr("/no/such/key"));
    }
    EXPECT_EQ(std::count_if(list.begin(), list.end(),
                            [](const auto& each) {
                                const auto* of = each.as_object().if_contains("zone");
                                return of != nullptr && of->as_string() == "a.example";
                            }),
              1);
    end();
    servers.close();
}

TEST_F(AdminTest, TheDocumentHasHostsThatCheckedInAndThoseThatNeverDid) {
    with_control();
    make();
    configure(3, 500s, {host("a.example.org"), host("b.example.org"), host("c.example.org")},
              "/etc/x.toml");
    check_in(request_log, "a.example.org", "192.0.2.1");
    check_in(request_log, "b.example.org", "2001:db8::1", 1000);
    watch.forwarding(http::Forwarding::silent, make_address("10.0.0.1"),
                     AddressWatch::Sender::client);
    serve();
    const auto document = status();
    EXPECT_EQ(document.at("version").as_string(), SFTDYN_VERSION);
    EXPECT_EQ(document.at("process").as_int64(), getpid());
    EXPECT_EQ(document.at("conf").as_string(), "/etc/x.toml");
    EXPECT_EQ(document.at("clients").to_number<int>(), 3);
    EXPECT_EQ(document.at("waiting").to_number<int>(), 0);
    EXPECT_EQ(document.at("connections").to_number<int>(), 0);
    EXPECT_TRUE(document.at("servers").as_array().empty());
    ASSERT_EQ(document.at("warnings").as_array().size(), 1U);
    EXPECT_EQ(document.at("warnings").at(0).at("check").as_string(), "silent-proxy");
    std::map<std::string, boost::json::object> of_hosts;
    for (const auto& each : document.at("hosts").as_array())
        of_hosts[std::string(each.at("host").as_string())] = each.as_object();
    ASSERT_EQ(of_hosts.size(), 2U);
    const auto& first = of_hosts.at("a.example.org");
    EXPECT_EQ(first.at("type").as_string(), "A");
    EXPECT_EQ(first.at("address").as_string(), "192.0.2.1");
    EXPECT_EQ(first.at("outcome").as_string(), "ok");
    EXPECT_FALSE(first.at("stale").as_bool());
    EXPECT_GT(first.at("checked_in").as_int64(), 0);
    const auto& second = of_hosts.at("b.example.org");
    EXPECT_EQ(second.at("type").as_string(), "AAAA");
    EXPECT_TRUE(second.at("stale").as_bool());
    EXPECT_EQ(document.at("never").as_array(), boost::json::array{"c.example.org"});
}

TEST_F(AdminTest, AHostWithoutAnAddressOrAChangeHasNone) {
    with_control();
    make();
    request_log.history().note({host("a.example.org"), dns::Type::a}, make_address("192.0.2.1"),
                               telemetry::RequestOutcome::fail, std::time(nullptr));
    serve();
    const auto document = status();
    const auto& entry = document.at("hosts").at(0);
    EXPECT_TRUE(entry.at("address").is_null());
    EXPECT_TRUE(entry.at("changed").is_null());
    EXPECT_EQ(entry.at("outcome").as_string(), "fail");
}

TEST_F(AdminTest, WhatIsRememberedIsKeptOverAnEnd) {
    settings_.admin.state = folder.path();
    make();
    admin->make_state();
    struct stat info {};
    ASSERT_EQ(stat((folder / "hosts.sqlite").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    serve();
    check_in(request_log, "a.example.org", "192.0.2.1");
    check_in(request_log, "old.example.org", "192.0.2.2", 367 * 86400);
    end();
    telemetry::RequestLog later(hosts);
    make(later);
    EXPECT_THAT(later.history().all(), IsEmpty());
    serve();
    const auto all = later.history().all();
    end();
    ASSERT_EQ(all.size(), 1U) << "who has not checked in for a year is forgotten";
    EXPECT_EQ(all[0].first.host, host("a.example.org"));
    EXPECT_EQ(all[0].second.address, make_address("192.0.2.1"));
}

TEST_F(AdminTest, WithoutItsFolderItGoesOn) {
    settings_.admin.state = folder / "none";
    make();
    admin->make_state();
    serve();
    EXPECT_THAT(lines("warning"), ElementsAre(HasSubstr(folder / "none/hosts.sqlite")));
    note(request_log);
    EXPECT_EQ(request_log.history().all().size(), 1U);
}

TEST_F(AdminTest, WithoutThreadsItGoesOnWithWhatNeedsNone) {
    if (base::sanitized) GTEST_SKIP() << "a sanitizer's run-time takes no seccomp filter";
    settings_.admin.state = folder.path();
    with_pages();
    with_control();
    make();
    const std::string said = in_child([this] {
        refuse_threads();
        if (const auto listening = admin->listen(); listening.has_error())
            return listening.error().text();
        admin->start();
        check_in(request_log, "a.example.org", "192.0.2.1");
        std::string text;
        for (const auto& line : lines("")) text += line + '\n';
        for (const char* name : {"metrics", "control"}) {
            if (std::filesystem::exists(folder / name)) text += std::string(name) + " stays\n";
        }
        admin.reset();
        return text;
    });
    EXPECT_EQ(said,
              "error: a thread can't be started: Resource temporarily unavailable; look at the "
              "limits of the service (TasksMax=, MemoryMax=, ulimit -u)\n"
              "warning: there is no thread to save the history of hosts: it is saved when sftdyn "
              "ends, and lost if it is killed\n"
              "error: there are no metrics: can't serve: it takes 1 threads, and the system gives "
              "no more; raise the limits of the service (TasksMax=, MemoryMax=, ulimit -u), or let "
              "it have fewer (threads)\n"
              "error: " +
                  (folder / "control") +
                  ": there is no thread to serve it: `sftdyn status` does not work until a "
                  "restart\n");
    telemetry::RequestLog later(hosts);
    make(later);
    serve();
    EXPECT_EQ(later.history().all().size(), 1U) << "it was saved at the end";
    end();
}

TEST_F(AdminTest, TheCommandIsToldOfChangesAndOfStaleHosts) {
    with_hook();
    with_pages();
    make();
    check_in(request_log, "a.example.org", "192.0.2.1");
    check_in(request_log, "a.example.org", "192.0.2.2");
    check_in(request_log, "b.example.org", "2001:db8::1", 7200);
    configure(2, 1h);
    serve();
    admin->stop(base::Clock::now() + 1h);
    std::istringstream told(folder.read("told"));
    std::vector<std::string> events;
    for (std::string line; std::getline(told, line);) events.push_back(line);
    EXPECT_THAT(events, testing::IsSupersetOf({"change a.example.org A 192.0.2.2",
                                               "stale b.example.org AAAA 2001:db8::1 2001:db8::1"}))
        << folder.read("told");
    EXPECT_THAT(lines("warning"), ElementsAre("b.example.org AAAA has not checked in for long"));
}

TEST_F(AdminTest, WithoutATimeNobodyIsStale) {
    with_hook();
    make();
    check_in(request_log, "b.example.org", "192.0.2.1", 366 * 86400);
    configure(1, 0s);
    serve();
    EXPECT_THAT(lines("warning"), IsEmpty());
}

TEST_F(AdminTest, AnotherTimeIsTakenAtOnce) {
    with_pages();
    with_control();
    make();
    serve();
    check_in(request_log, "b.example.org", "192.0.2.1", 1000);
    const auto set = [this](base::Duration time) {
        std::promise<void> done;
        boost::asio::post(io, [&] {
            configure(1, time);
            done.set_value();
        });
        done.get_future().wait();
    };
    for (const auto& [time, stale] :
         {std::pair<base::Duration, bool>(500s, true), {0s, false}, {500s, true}, {2000s, false}}) {
        set(time);
        EXPECT_THAT(get("/metrics"),
                    HasSubstr(stale ? "\nsftdyn_stale_hosts 1\n" : "\nsftdyn_stale_hosts 0\n"));
        EXPECT_EQ(status().at("hosts").at(0).at("stale").as_bool(), stale);
    }
    EXPECT_THAT(lines("warning"), testing::SizeIs(2)) << "each time that it becomes stale";
}

TEST_F(AdminTest, OfHostsThatAreNobodysAnyMoreNothingIsTold) {
    with_pages();
    with_control();
    make();
    check_in(request_log, "a.example.org", "192.0.2.1", 1000);
    check_in(request_log, "b.example.org", "192.0.2.2", 1000);
    admin->configure({.count = 1, .hosts = {.all = {host("a.example.org")}}, .stale_after = 500s});
    serve();
    EXPECT_THAT(get("/metrics"), HasSubstr("\nsftdyn_stale_hosts 1\n"));
    ASSERT_EQ(status().at("hosts").as_array().size(), 1U);
    EXPECT_EQ(status().at("hosts").at(0).at("host").as_string(), "a.example.org");
    EXPECT_THAT(lines("warning"), ElementsAre("a.example.org A has not checked in for long"));
}

TEST_F(AdminTest, AHostIsForgottenAsTheControlSocketAsks) {
    with_control();
    make();
    check_in(request_log, "a.example.org", "192.0.2.1", 1000);
    configure(1, 500s, {host("a.example.org")});
    serve();
    const auto forget = [this](const std::string& line) { return ask(folder / "control", line); };
    EXPECT_EQ(forget("forget A.example.org\n"),
              "{\"host\":\"a.example.org\",\"forgotten\":true}\n");
    EXPECT_EQ(forget("forget a.example.org\n"),
              "{\"host\":\"a.example.org\",\"forgotten\":false}\n");
    EXPECT_EQ(forget("forget z.example.org\n"),
              "{\"host\":\"z.example.org\",\"forgotten\":false}\n");
    EXPECT_EQ(forget("forget a b\n"), "{\"error\":\"this is not a host's name\"}\n");
    EXPECT_THAT(forget("remember a.example.org\n"), HasSubstr("\"error\""));
    const auto document = status();
    EXPECT_TRUE(document.at("hosts").as_array().empty());
    EXPECT_EQ(document.at("never").at(0).as_string(), "a.example.org");
}

TEST_F(AdminTest, ThatAForgottenHostIsStaleIsNotToldAnyMore) {
    with_pages();
    settings_.admin.event_command = {"/bin/sh", "-c",
                                     "echo >> " + (folder / "begun") + "; exec sleep 60"};
    settings_.admin.events = {.change = false, .stale = true};
    make();
    std::vector<update::HostId> all;
    for (const char* name : {"a.org", "b.org", "c.org", "d.org", "e.org"}) {
        check_in(request_log, name, "192.0.2.1", 1000);
        all.push_back(host(name));
    }
    configure(5, 500s, all);
    serve();
    while (!std::filesystem::exists(folder / "begun") || folder.read("begun").size() < 4)
        std::this_thread::yield();
    EXPECT_THAT(get("/metrics"), HasSubstr("\nsftdyn_event_commands_waiting 5\n"));
    std::promise<void> done;
    boost::asio::post(io, [&] {
        admin->configure({});
        done.set_value();
    });
    done.get_future().wait();
    EXPECT_THAT(get("/metrics"), HasSubstr("\nsftdyn_event_commands_waiting 4\n"))
        << "those that are under way";
    admin->stop(base::Clock::now());
    io.stop();
    thread.join();
    admin.reset();
    runner.reset();
}

TEST_F(AdminTest, AHostMayHaveATimeOfItsOwn) {
    with_pages();
    make();
    check_in(request_log, "a.example.org", "192.0.2.1", 1000);
    check_in(request_log, "b.example.org", "192.0.2.2", 1000);
    check_in(request_log, "c.example.org", "192.0.2.3", 1000);
    using Own = telemetry::OwnStaleTimes::element_type;
    const auto own = std::make_shared<Own>(Own{
        {host("a.example.org"), 2000}, {host("b.example.org"), 500}, {host("d.example.org"), 0}});
    admin->configure({.hosts = {.stale_after = own}, .are_all_known = false, .stale_after = 0s});
    serve();
    EXPECT_THAT(get("/metrics"), HasSubstr("\nsftdyn_stale_hosts 1\n"));
    EXPECT_THAT(lines("warning"), ElementsAre("b.example.org A has not checked in for long"));
}

TEST_F(AdminTest, WhatWasNotToldIsToldByTheNextRun) {
    with_hook();
    settings_.admin.state = folder.path();
    const auto tells = settings_.admin.event_command;
    settings_.admin.event_command = {"/bin/sh", "-c",
                                     "echo >> " + (folder / "begun") + "; exec sleep 60"};
    make();
    serve();
    check_in(request_log, "a.example.org", "192.0.2.1");
    check_in(request_log, "a.example.org", "192.0.2.2");
    while (!std::filesystem::exists(folder / "begun")) std::this_thread::yield();
    admin->stop(base::Clock::now());
    io.stop();
    thread.join();
    admin.reset();
    runner.reset();
    EXPECT_THAT(lines("warning"), ElementsAre(HasSubstr("they are run after the next start: ")));

    settings_.admin.event_command = tells;
    for (int run = 0; run < 2; ++run) {
        telemetry::RequestLog later(hosts);
        make(later);
        serve();
        end();
        EXPECT_EQ(folder.read("told"), "change a.example.org A 192.0.2.2\n") << "once";
    }
}

TEST_F(AdminTest, WhatCanNotBeListenedOnIsAnError) {
    settings_.admin.control = folder / "none/control";
    make();
    EXPECT_THAT(admin->listen().error().text(), HasSubstr("can't listen for `sftdyn status`"));
    end();
    settings_.admin.control.reset();
    settings_.admin.metrics = {{.path = folder / "none/metrics"}};
    make();
    EXPECT_THAT(admin->listen().error().text(), HasSubstr("can't listen"));
}

}  // namespace
}  // namespace sftdyn::server
