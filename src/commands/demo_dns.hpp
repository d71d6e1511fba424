// SPDX-License-Identifier: GPL-3.0-or-later
// A private authoritative DNS server for the demo: Knot's knotd on loopback, with its files in a
// temporary folder.
#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

#include "base/result.hpp"
#include "dns/server_client.hpp"

namespace sftdyn::commands {

/// Owns the knotd process and the folder. The destructor ends the process and removes the folder.
class DemoDns {
public:
    /// Starts knotd on 127.0.0.1 and `port` (0: any free one) with an empty zone, and blocks until
    /// it answers. The error says what is missing, or has the output of knotd.
    static base::Result<DemoDns> start(const std::string& zone, std::uint16_t port);

    DemoDns(DemoDns&& other) noexcept;
    DemoDns(const DemoDns&) = delete;
    DemoDns& operator=(const DemoDns&) = delete;
    DemoDns& operator=(DemoDns&&) = delete;
    /// Ends knotd and removes its files.
    ~DemoDns();

    [[nodiscard]] const dns::ServerAddress& address() const { return address_; }
    [[nodiscard]] std::string key_file() const { return (folder_ / "sftdyn.key").string(); }
    /// For further files of the demo; removed at the end.
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

private:
    DemoDns() = default;
    base::Result<void> write_files(const std::string& zone);
    base::Result<void> spawn();
    base::Result<void> await_answer(const std::string& zone);
    base::Result<void> exited() const;

    std::filesystem::path folder_;
    dns::ServerAddress address_;
    pid_t pid_ = -1;
};

}  // namespace sftdyn::commands
