// SPDX-License-Identifier: GPL-3.0-or-later
// Record types, record data and the changes that an UPDATE carries (RFC 2136 §2.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "base/result.hpp"
#include "dns/name.hpp"
#include "dns/tsig_key.hpp"

namespace sftdyn::dns {

/// The record types that are used here, by their numbers (RFC 1035 §3.2.2 and later ones).
enum class Type : std::uint16_t {
    a = 1,
    ns = 2,
    cname = 5,
    soa = 6,
    ptr = 12,
    aaaa = 28,
    dname = 39,
    dnskey = 48
};

/// "A", "AAAA", …; "TYPE999" for a type without an enumerator.
[[nodiscard]] std::string type_text(Type type);

/// A or AAAA, by the address's family.
[[nodiscard]] Type type_of(const boost::asio::ip::address& address);

/// The record data (RFC 1035 §3.4.1, RFC 3596 §2.2) of an address.
[[nodiscard]] std::string rdata_of(const boost::asio::ip::address& address);

/// The address in record data as text; "?" when it is not an address.
[[nodiscard]] std::string rdata_text(Type type, std::string_view rdata);

/// The name of the address's PTR records (RFC 1035 §3.5, RFC 3596 §2.5).
[[nodiscard]] Name reverse_name(const boost::asio::ip::address& address);

/// The address in the record data of an A or AAAA record; anything else is an error.
[[nodiscard]] base::Result<boost::asio::ip::address> address_of(Type type, std::string_view rdata);

/// One record of an answer.
struct Record {
    Name owner;
    Type type{};
    std::uint32_t ttl = 0;
    std::string rdata;
};

/// What a change does to the RRset. The sections are those of RFC 2136.
enum class ChangeKind : std::uint8_t {
    replace,  ///< delete the RRset and add the record (§2.5.2, §2.5.1), unless the record would not
              ///< be visible: see `make_update`
    remove,         ///< delete the RRset (§2.5.2)
    remove_record,  ///< delete the record, keep the others (§2.5.4)
    claim           ///< as `replace`, with the prerequisite that the RRset does not exist (§2.4.3)
};

/// A change of the RRset of one owner and type.
struct Change {
    Name owner;
    Type type{};
    ChangeKind kind = ChangeKind::replace;
    std::uint32_t ttl = 0;  ///< seconds
    std::string rdata{};

    friend bool operator==(const Change&, const Change&) = default;
};

/// One record of the prerequisite or update section. Its class determines its meaning (RFC 2136
/// §2.4, §2.5).
struct UpdateRecord {
    enum class Class : std::uint16_t { in = 1, none = 254, any = 255 };
    Name owner;
    Type type{};
    Class rclass = Class::in;
    std::uint32_t ttl = 0;  ///< seconds
    std::string rdata{};

    friend bool operator==(const UpdateRecord&, const UpdateRecord&) = default;
};

/// The sections of one UPDATE (RFC 2136 §2).
struct UpdateMessage {
    std::optional<Name> zone{};  ///< absent: the zone that contains `home()`
    std::vector<UpdateRecord> prerequisites{};
    std::vector<UpdateRecord> updates{};
    TsigKeyPtr key{};  ///< signs the message; null: the server's key does

    [[nodiscard]] bool empty() const { return prerequisites.empty() && updates.empty(); }
    /// The name whose zone the message is for when `zone` is absent: the owner of the first update,
    /// or without updates of the first prerequisite.
    [[nodiscard]] const Name& home() const {
        return updates.empty() ? prerequisites.front().owner : updates.front().owner;
    }
};

/// The equivalent change of a message that only deletes an RRset and adds one record in its place;
/// absent: it does something else.
[[nodiscard]] std::optional<Change> replacement_of(const UpdateMessage& message);

/// The content of an UPDATE: changes of RRsets, or the complete sections.
using UpdateContent = std::variant<std::vector<Change>, UpdateMessage>;

/// Whether the change may add a record.
[[nodiscard]] bool adds_record(const Change& change);

/// The maximum size of the change in an UPDATE of `zone`, in octets, including its prerequisites,
/// with uncompressed owner names. Parts that all changes of the zone share are not counted.
[[nodiscard]] std::size_t wire_size_bound(const Change& change, const Name& zone);

}  // namespace sftdyn::dns
