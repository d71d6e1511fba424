// SPDX-License-Identifier: GPL-3.0-or-later
// The doctor's check of the running program: its warnings, and whether its configuration is
// current.
#include <exception>
#include <filesystem>

#include <fmt/format.h>
#include <boost/json.hpp>

#include "commands/doctor/doctor.hpp"
#include "commands/running.hpp"

namespace sftdyn::commands {
namespace {

using Level = Finding::Level;

bool is_same_file(const std::string& a, const std::string& b) {
    std::error_code error;
    return a == b || std::filesystem::equivalent(a, b, error);
}

/// The findings from the status document. Throws when it lacks a part, as that of another version
/// may.
Findings told_by(const boost::json::object& status, const config::Loaded& loaded) {
    Findings told;
    if (const auto* version = status.if_contains("conf_version");
        version != nullptr && version->as_string() != loaded.conf_version)
        told.push_back({Level::warning, "running",
                        fmt::format("the running sftdyn (process {}) has an older configuration: "
                                    "{} has changed since",
                                    status.at("process").to_number<std::int64_t>(), loaded.conf),
                        "systemctl reload sftdyn; if that changes nothing, its log says why"});
    for (const auto& one : status.at("warnings").as_array()) {
        const auto text = [&](const char* name) { return std::string(one.at(name).as_string()); };
        told.push_back(
            {Level::warning, text("check"), "the running sftdyn: " + text("what"), text("mend")});
    }
    return told;
}

}  // namespace

void look_at_running(const Patient& patient, Findings& findings) {
    const auto answer = ask_control(patient.loaded.settings.admin.control.value_or(usual_socket));
    if (answer.has_error()) return;  // it does not run, or this user may not ask it
    boost::system::error_code error;
    const auto document = boost::json::parse(*answer, error);
    const auto* status = document.if_object();
    if (error || status == nullptr) return;
    try {
        if (!is_same_file(std::string(status->at("conf").as_string()), patient.loaded.conf)) return;
        const Findings told = told_by(*status, patient.loaded);
        findings.insert(findings.end(), told.begin(), told.end());
    } catch (const std::exception&) {
        return;  // it is of another version
    }
}

}  // namespace sftdyn::commands
