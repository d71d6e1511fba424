// A configuration file, with its fast path for lines of [clients].
#include "config/toml_file.hpp"
#include "fuzz.hpp"

using namespace sftdyn;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    config::Settings settings;
    const auto complaints = config::read_toml(text_of(data, size), "fuzz.toml", settings);
    for (const auto& complaint : complaints) HOLDS(!complaint.what.empty() && complaint.where.starts_with("fuzz.toml"));
    if (!complaints.empty()) return 0;
    HOLDS(settings.timeout.count() > 0);
    for (std::size_t i = 0; i < settings.clients.size(); ++i) {
        const auto client = settings.clients[i];
        HOLDS(!client.key.empty() && client.key[0] != '/');
        HOLDS(dns::Name::from_wire(reinterpret_cast<const std::uint8_t*>(client.host.data())).bytes() == client.host);
    }
    return 0;
}
