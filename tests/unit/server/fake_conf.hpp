// SPDX-License-Identifier: GPL-3.0-or-later
// A Python conf without Python.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "python/conf.hpp"

namespace sftdyn::server {

/// Hooks as C++ functions; one that is empty is not defined.
struct FakeConf : public python::Conf {
    std::function<python::HookResult<std::string>(std::string source)> get_ip;
    bool reads_key = false;                 ///< get_ip does
    bool reads_fields = false;              ///< of a request
    std::function<void()> on_call = [] {};  ///< before any hook, as a wait for the interpreter
    std::function<python::HookResult<std::string>(std::string key)> get_host;
    std::function<python::HookResult<std::vector<std::string>>(std::string host)> commands;

    class FakeCall : public python::Call {
    public:
        FakeCall(const FakeConf& conf, std::string_view source) : conf_(conf), source_(source) {}
        python::HookResult<python::Given> get_ip() override {
            if (!conf_.get_ip) return python::Given{source_};
            auto said = conf_.get_ip(source_);
            if (said.has_error()) return said.error();
            ip_ = *said;
            return given(std::move(*said));
        }
        python::HookResult<python::Given> get_host(std::string_view key) override {
            auto said = conf_.get_host(std::string(key));
            if (said.has_error()) return said.error();
            host_ = *said;
            if (said->empty()) return python::Given{.is_true = false};
            return given(std::move(*said));
        }
        python::HookResult<std::uint64_t> pair_number() override {
            return std::hash<std::string>()(host_ + " " + ip_);
        }
        void forget_pair() override { ++conf_.forgotten; }
        python::HookResult<std::vector<std::string>> nsupdate_commands(
            std::string_view host) override {
            return conf_.commands(std::string(host));
        }
        std::string shown(std::string_view text) override {
            ++conf_.shown;
            return std::string(text);
        }

    private:
        /// "(…" stands for an object that is no text.
        python::Given given(std::string text) {
            if (text.starts_with("(")) return {std::nullopt, "tuple"};
            return {std::move(text)};
        }

        const FakeConf& conf_;
        std::string source_, host_{}, ip_{};
    };

    base::Result<std::shared_ptr<const python::Conf>> run_anew() const override {
        return std::make_shared<const FakeConf>(*this);
    }
    base::Result<std::vector<python::ConfSetting>> settings(
        const std::vector<std::string>&) const override {
        return std::vector<python::ConfSetting>();
    }
    base::Result<std::optional<std::vector<python::ConfClient>>> clients(
        const std::string&) const override {
        return std::optional<std::vector<python::ConfClient>>();
    }
    base::Result<std::vector<std::string>> tables() const override {
        return std::vector<std::string>();
    }
    bool has_get_ip() const override { return get_ip != nullptr; }
    bool has_get_host() const override { return get_host != nullptr; }
    bool has_nsupdate_commands() const override { return commands != nullptr; }
    bool reads_headers() const override { return reads_fields; }
    bool get_ip_reads_key() const override { return reads_key; }
    std::unique_ptr<python::Call> call(std::string_view source, const python::Fields& fields,
                                       std::string_view) const override {
        on_call();
        seen = fields.list();
        return std::make_unique<FakeCall>(*this, source);
    }

    mutable unsigned forgotten = 0;       ///< pairs
    mutable unsigned shown = 0;           ///< texts
    mutable python::Fields::List seen{};  ///< the last request's header fields
};

/// Runs a conf of C++ functions.
class HookInterpreter : public python::Interpreter {
public:
    class Thread : public python::Attached {
    public:
        std::uint64_t number() const override { return 1; }
        void serve(python::Jobs& jobs) override {
            using Took = python::Jobs::Took;
            for (auto took = Took::job; took != Took::closed; took = jobs.run_next())
                if (took == Took::none) jobs.wait(-1, std::nullopt);
        }
        void unlocked(const std::function<void()>& call) override { call(); }
        void clear_interrupt() override {}
    };
    explicit HookInterpreter(std::shared_ptr<const python::Conf> of) : conf(std::move(of)) {}
    base::Result<std::shared_ptr<const python::Conf>> run(const std::string&) override {
        return conf;
    }
    std::unique_ptr<python::Attached> attach() override { return std::make_unique<Thread>(); }
    void interrupt(std::uint64_t) override {}

    const std::shared_ptr<const python::Conf> conf;
};

}  // namespace sftdyn::server
