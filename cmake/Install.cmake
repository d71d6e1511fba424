# SPDX-License-Identifier: GPL-3.0-or-later
# What is installed, and where: the same as in the Debian packages.
install(TARGETS sftdyn RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

configure_file(${PROJECT_SOURCE_DIR}/packaging/systemd/sftdyn.service.in ${PROJECT_BINARY_DIR}/sftdyn.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/sftdyn.service ${PROJECT_SOURCE_DIR}/packaging/systemd/sftdyn.socket
        ${PROJECT_SOURCE_DIR}/packaging/systemd/sftdyn-update@.service ${PROJECT_SOURCE_DIR}/packaging/systemd/sftdyn-update@.timer
        DESTINATION lib/systemd/system)

# The sample; a configuration that is there already, of either kind, stays as it is.
install(CODE "
  set(target \"\$ENV{DESTDIR}${CMAKE_INSTALL_FULL_SYSCONFDIR}/sftdyn/sftdyn.toml\")
  if(NOT EXISTS \"\${target}\" AND NOT EXISTS \"\$ENV{DESTDIR}${CMAKE_INSTALL_FULL_SYSCONFDIR}/sftdyn/conf\")
    file(INSTALL DESTINATION \"${CMAKE_INSTALL_FULL_SYSCONFDIR}/sftdyn\" TYPE FILE FILES \"${PROJECT_SOURCE_DIR}/packaging/sftdyn.toml\"
         PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
  endif()")

foreach(page sftdyn.1 sftdyn.toml.5 sftdyn-client.7)
  string(REGEX MATCH "[0-9]$" section ${page})
  install(FILES ${PROJECT_SOURCE_DIR}/man/${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

install(FILES ${PROJECT_SOURCE_DIR}/packaging/completion/sftdyn.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME sftdyn)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/completion/_sftdyn DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/completion/sftdyn.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

install(FILES ${PROJECT_SOURCE_DIR}/packaging/grafana/sftdyn.json DESTINATION ${CMAKE_INSTALL_DATADIR}/sftdyn/grafana)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/prometheus/sftdyn.rules.yml DESTINATION ${CMAKE_INSTALL_DATADIR}/sftdyn/prometheus)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/packaging/fail2ban DESTINATION ${CMAKE_INSTALL_DATADIR}/sftdyn)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/credentials.conf ${PROJECT_SOURCE_DIR}/packaging/sample.conf
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sftdyn/examples)
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sftdyn)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sftdyn)
install(FILES ${PROJECT_SOURCE_DIR}/docs/compatibility.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sftdyn-python)
