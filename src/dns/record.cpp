// SPDX-License-Identifier: GPL-3.0-or-later
#include "dns/record.hpp"

#include <cstring>

#include <fmt/format.h>

namespace sftdyn::dns {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t record_overhead = 10;  // type, class, TTL, RDLENGTH (RFC 1035 §3.2.1)

}  // namespace

std::string type_text(Type type) {
    switch (type) {
        case Type::a:
            return "A";
        case Type::ns:
            return "NS";
        case Type::cname:
            return "CNAME";
        case Type::soa:
            return "SOA";
        case Type::ptr:
            return "PTR";
        case Type::aaaa:
            return "AAAA";
        case Type::dname:
            return "DNAME";
        case Type::dnskey:
            return "DNSKEY";
    }
    return fmt::format("TYPE{}", static_cast<unsigned>(type));
}

Type type_of(const ip::address& address) { return address.is_v4() ? Type::a : Type::aaaa; }

std::string rdata_of(const ip::address& address) {
    if (address.is_v4()) {
        const auto bytes = address.to_v4().to_bytes();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }
    const auto bytes = address.to_v6().to_bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

base::Result<ip::address> address_of(Type type, std::string_view rdata) {
    if (type == Type::a && rdata.size() == 4) {
        ip::address_v4::bytes_type bytes;
        std::memcpy(bytes.data(), rdata.data(), bytes.size());
        return ip::address(ip::make_address_v4(bytes));
    }
    if (type == Type::aaaa && rdata.size() == 16) {
        ip::address_v6::bytes_type bytes;
        std::memcpy(bytes.data(), rdata.data(), bytes.size());
        return ip::address(ip::make_address_v6(bytes));
    }
    return base::Error{
        fmt::format("{} octets are not data of {} record", rdata.size(), type_text(type))};
}

std::string rdata_text(Type type, std::string_view rdata) {
    if (type == Type::ptr || type == Type::cname || type == Type::ns || type == Type::dname) {
        return Name::from_wire(reinterpret_cast<const std::uint8_t*>(rdata.data())).text();
    }
    const auto address = address_of(type, rdata);
    return address.has_value() ? address->to_string() : "?";
}

Name reverse_name(const ip::address& address) {
    std::string text;
    const std::string bytes = rdata_of(address);
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        const auto value = static_cast<unsigned char>(*byte);
        text += address.is_v4() ? fmt::format("{}.", value)
                                : fmt::format("{:x}.{:x}.", value & 15, value >> 4);
    }
    return Name::parse(text + (address.is_v4() ? "in-addr.arpa" : "ip6.arpa")).value();
}

std::optional<Change> replacement_of(const UpdateMessage& message) {
    if (!message.prerequisites.empty() || message.updates.size() != 2) return std::nullopt;
    const UpdateRecord &first = message.updates[0], &second = message.updates[1];
    const bool removes = first.rclass == UpdateRecord::Class::any && first.type == second.type;
    if (!removes || second.rclass != UpdateRecord::Class::in || first.owner != second.owner)
        return std::nullopt;
    return Change{second.owner, second.type, ChangeKind::replace, second.ttl, second.rdata};
}

bool adds_record(const Change& change) {
    return change.kind == ChangeKind::replace || change.kind == ChangeKind::claim;
}

std::size_t wire_size_bound(const Change& change, const Name& zone) {
    const std::size_t one = change.owner.size() + record_overhead;
    if (!adds_record(change)) return one + change.rdata.size();
    std::size_t records = 3;  // no CNAME; the deletion or "no RRset"; the record
    if (change.kind == ChangeKind::replace) {
        for (Name name = change.owner.parent(); name.size() > zone.size(); name = name.parent())
            records += 2;  // the prerequisites: no DNAME, no NS
    }
    return records * one + change.rdata.size();
}

}  // namespace sftdyn::dns
