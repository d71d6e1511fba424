#include "cli/updater.hpp"

#include <fmt/format.h>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/secret_url.hpp"
#include "base/log.hpp"
#include "base/secret.hpp"

namespace sftdyn::cli {
namespace {

namespace secret_url = api::secret_url;
namespace log = base::log;

constexpr auto tick_interval = std::chrono::milliseconds(20);
constexpr auto guess_delay = std::chrono::seconds(1);
constexpr unsigned most_delayed = 1000;

const char* word(update::Verdict verdict) {
    switch (verdict) {
        case update::Verdict::committed:
            return "OK";
        case update::Verdict::unchanged:
            return "UPTODATE";
        case update::Verdict::failed:
            return "FAIL";
        case update::Verdict::over_budget:
            return "ABUSE (its budget of changes is spent)";
        case update::Verdict::overloaded:
            return "FAIL (too many wait already)";
    }
    return "?";
}

}  // namespace

Updater::Updater(boost::asio::io_context& io, const update::Limits& limits)
    : io_(io),
      timer_(io),
      verify_interval_(limits.verify_interval.count()),
      directory_(std::make_shared<hosts::Directory>()),
      backend_(io),
      failures_([](const std::string& text) { log::error("{}", text); }),
      engine_(backend_, host_table_, known_, limits, base::Clock::now,
              [this](const dns::Name& host, dns::Type type, const dns::Failure& failure) { failed(host, type, failure); }) {}

Updater::~Updater() { backend_.configure({}); }

void Updater::configure(std::shared_ptr<const hosts::Directory> directory, const std::vector<update::ZoneServers>& servers,
                        const update::Limits& limits, const GuessLimits& guess_limits) {
    guesses_.set(guess_limits.burst, guess_limits.refill);
    {
        const std::lock_guard lock(directory_mutex_);
        directory_ = std::move(directory);
    }
    verify_interval_ = limits.verify_interval.count();
    const bool servers_changed = servers != servers_;
    servers_ = servers;
    backend_.configure(servers);
    engine_.reconfigure(limits, servers_changed);
}

std::shared_ptr<const hosts::Directory> Updater::directory() const {
    const std::lock_guard lock(directory_mutex_);
    return directory_;
}

std::optional<api::Response> Updater::handle(const api::Request& request, const std::function<http::Later()>& defer) {
    const auto intent = secret_url::read(request);
    if (std::holds_alternative<secret_url::MethodNotAllowed>(intent)) return secret_url::method_not_allowed();
    if (std::holds_alternative<secret_url::WhoAmI>(intent)) return secret_url::who_am_i(request);

    const std::string_view key = std::get<secret_url::Update>(intent).key;
    const auto directory = this->directory();
    const hosts::Entry* entry = directory->find(key);
    if (entry == nullptr && key.find('%') != std::string_view::npos) {
        std::string decoded = secret_url::decoded(key);
        entry = directory->find(decoded);
        base::wipe(decoded);
    }
    if (entry == nullptr) return bad_key(request.client, defer);
    const update::Target target{entry->host, dns::type_of(request.client)};
    const auto since = base::Clock::now() - base::Duration(verify_interval_.load(std::memory_order_relaxed));
    if (known_.is(target, dns::rdata_of(request.client), since)) {
        if (spdlog::should_log(spdlog::level::info)) {
            log::info("{} {} {}: UPTODATE", host_table_.name(entry->host).text(), dns::type_text(target.type), request.client.to_string());
        }
        return secret_url::answer({update::Verdict::unchanged});
    }
    boost::asio::post(io_, [this, entry = *entry, client = request.client, later = defer()]() mutable { submit(entry, client, std::move(later)); });
    return std::nullopt;
}

std::optional<api::Response> Updater::bad_key(const boost::asio::ip::address& client, const std::function<http::Later()>& defer) {
    using Kind = hosts::Guesses::Verdict::Kind;
    auto verdict = guesses_.failed(client, base::Clock::now());
    log::info("BADKEY for {}", client.to_string());
    if (verdict.kind == Kind::answer) return secret_url::bad_key();
    if (verdict.kind == Kind::delay) {
        if (delayed_.fetch_add(1) < most_delayed) {
            boost::asio::post(io_, [this, later = defer()] {
                const auto timer = std::make_shared<boost::asio::steady_timer>(io_, guess_delay);
                timer->async_wait([this, timer, later](boost::system::error_code) {
                    delayed_.fetch_sub(1);
                    later(secret_url::bad_key());
                });
            });
            return std::nullopt;
        }
        delayed_.fetch_sub(1);
        verdict.retry_after = guess_delay;
    }
    // The packaged fail2ban filter reads this line.
    if (verdict.first) log::warn("too many bad keys from {}; refused for now", client.to_string());
    return secret_url::too_many_bad_keys(verdict.retry_after);
}

void Updater::submit(const hosts::Entry& entry, const boost::asio::ip::address& client, http::Later later) {
    update::Wish wish;
    wish.target = {entry.host, dns::type_of(client)};
    wish.ttl = entry.ttl;
    wish.rdata = dns::rdata_of(client);
    wish.reverse = entry.reverse;
    if (spdlog::should_log(spdlog::level::debug)) {
        log::debug("{} {} {}: accepted", host_table_.name(entry.host).text(), dns::type_text(wish.target.type), client.to_string());
    }
    engine_.submit(std::move(wish), [this, entry, client, later = std::move(later)](update::Result result) {
        if (spdlog::should_log(spdlog::level::info)) {
            log::info("{} {} {}: {}", host_table_.name(entry.host).text(), dns::type_text(dns::type_of(client)), client.to_string(),
                      word(result.verdict));
        }
        later(secret_url::answer(result));
    });
    if (!ticking_ && engine_.busy()) keep_ticking();
}

void Updater::keep_ticking() {
    ticking_ = true;
    timer_.expires_after(tick_interval);
    timer_.async_wait([this](boost::system::error_code error) {
        ticking_ = false;
        if (error) return;
        engine_.tick();
        if (engine_.busy()) keep_ticking();
    });
}

void Updater::failed(const dns::Name& host, dns::Type type, const dns::Failure& failure) {
    const bool pointer = type == dns::Type::ptr;
    if (pointer && failure.kind == dns::Failure::Kind::no_zone) {
        log::debug("no reverse zone of ours holds {}", host.text());
        return;
    }
    const auto text = fmt::format("{} {} not updated: {}", host.text(), dns::type_text(type), failure.text());
    failures_.add((pointer ? "ptr/" : "") + failure.key(), text, base::Clock::now());
}

void Updater::finish() { failures_.finish(); }

}  // namespace sftdyn::cli
