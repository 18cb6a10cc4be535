# cmake --install build [--prefix P]; DESTDIR is honoured.
include(GNUInstallDirs)
install(TARGETS nsrouter RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES docs/nsrouter.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/completion/nsrouter.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME nsrouter)
install(DIRECTORY configs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
