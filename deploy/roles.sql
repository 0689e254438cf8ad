-- The two roles and the database of an installation. As a superuser:
--   psql -v owner_password=… -v app_password=… -f deploy/roles.sql
-- parvis_owner creates and migrates the tables; parvis_app serves requests and owns nothing, so that row-level
-- security binds it.
\set ON_ERROR_STOP on
CREATE ROLE parvis_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE parvis_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'app_password';
CREATE DATABASE parvis OWNER parvis_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE parvis FROM PUBLIC;
GRANT CONNECT ON DATABASE parvis TO parvis_app;
\connect parvis
ALTER SCHEMA public OWNER TO parvis_owner;
GRANT USAGE ON SCHEMA public TO parvis_app;
ALTER DEFAULT PRIVILEGES FOR ROLE parvis_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO parvis_app;
ALTER DEFAULT PRIVILEGES FOR ROLE parvis_owner IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO parvis_app;
ALTER DEFAULT PRIVILEGES FOR ROLE parvis_owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO parvis_app;
