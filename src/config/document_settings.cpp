// SPDX-License-Identifier: GPL-3.0-or-later
// Regenerates the parts of the documents that come from the schema of settings. For developers: see
// scripts/documents.
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "config/settings_documents.hpp"

namespace {

std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw std::runtime_error(path + " can't be read");
    return text.str();
}

void write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text << std::flush;
    if (!file) throw std::runtime_error(path + " can't be written");
}

}  // namespace

int main(int argc, char** argv) {
    using namespace sftdyn::config;
    try {
        const std::string argument = argc == 2 ? argv[1] : "";
        if (argument == "--json") {
            std::cout << schema_as_json() << std::flush;
            return 0;
        }
        if (argument.empty()) {
            std::cerr << "usage: sftdyn_document_settings FOLDER-OF-THE-SOURCE | --json\n";
            return 2;
        }
        const std::string document = argument + "/docs/configuration.md";
        write(document, with_tables(read(document)));
        write(argument + "/packaging/sftdyn.toml", sample_file());
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
