// Which address the last script of a host was for. A script may do anything, so the server can't be asked whether it
// still holds; it is believed until another one touches the host.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "update/known.hpp"
#include "update/target.hpp"

namespace sftdyn::update {

class Scripted {
public:
    explicit Scripted(const HostTable& hosts) : hosts_(hosts) {}

    /// True when the last script for the target was for the address with that record data, and the server has confirmed
    /// all of it.
    [[nodiscard]] bool is(const Target& target, std::string_view rdata) const;

    /// A script for the target goes out.
    void begin(const Target& target, const std::vector<dns::UpdateMessage>& messages);
    /// It is done, all of it if `committed`.
    void end(const Target& target, std::string_view rdata, bool committed);
    /// Something else changes the target.
    void forget(const Target& target);

private:
    struct Entry {
        std::string rdata{};     ///< empty: nothing is believed
        unsigned under_way = 0;  ///< scripts
        bool disturbed = false;  ///< they were not alone: who was last can't be told
    };
    void disturb(const Target& target);

    const HostTable& hosts_;
    mutable std::mutex mutex_;
    std::unordered_map<Target, Entry> entries_;
};

}  // namespace sftdyn::update
